-- definitions in which a text may name an object by its schema; names that are no text follow by themselves
WITH place AS (
         SELECT oid, nspname FROM pg_catalog.pg_namespace
         WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp|toast_temp)(_|$)'
     ),
     relation AS (
         SELECT c.oid, c.relkind, n.nspname AS schema, c.relname AS name
         FROM pg_catalog.pg_class c
         JOIN place n ON n.oid = c.relnamespace
         WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                           WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')
     )
SELECT 'default of column' AS what, r.schema::text, r.name::text, a.attname::text AS part, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS text
FROM pg_catalog.pg_attrdef d
JOIN relation r ON r.oid = d.adrelid
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
UNION ALL
SELECT 'constraint', coalesce(r.schema, n.nspname)::text, coalesce(r.name, t.typname)::text, c.conname::text, pg_catalog.pg_get_constraintdef(c.oid)
FROM pg_catalog.pg_constraint c
LEFT JOIN relation r ON r.oid = c.conrelid
LEFT JOIN pg_catalog.pg_type t ON t.oid = c.contypid
LEFT JOIN place n ON n.oid = t.typnamespace
WHERE c.contype = 'c' AND coalesce(r.schema, n.nspname) IS NOT NULL
UNION ALL
SELECT 'domain', n.nspname::text, t.typname::text, NULL, pg_catalog.pg_get_expr(t.typdefaultbin, 0)
FROM pg_catalog.pg_type t
JOIN place n ON n.oid = t.typnamespace
WHERE t.typtype = 'd' AND t.typdefaultbin IS NOT NULL
UNION ALL
SELECT CASE r.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, r.schema::text, r.name::text, NULL, pg_catalog.pg_get_viewdef(r.oid)
FROM relation r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 'rule', r.schema::text, r.name::text, w.rulename::text, pg_catalog.pg_get_ruledef(w.oid)
FROM pg_catalog.pg_rewrite w
JOIN relation r ON r.oid = w.ev_class
WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT 'policy', r.schema::text, r.name::text, p.polname::text,
       pg_catalog.concat_ws(' ', pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_catalog.pg_policy p
JOIN relation r ON r.oid = p.polrelid
UNION ALL
SELECT 'index', r.schema::text, r.name::text, NULL, pg_catalog.pg_get_indexdef(r.oid)
FROM pg_catalog.pg_index i
JOIN relation r ON r.oid = i.indexrelid
WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
UNION ALL
SELECT 'trigger', r.schema::text, r.name::text, t.tgname::text, pg_catalog.pg_get_triggerdef(t.oid)
FROM pg_catalog.pg_trigger t
JOIN relation r ON r.oid = t.tgrelid
WHERE NOT t.tgisinternal AND (t.tgnargs > 0 OR t.tgqual IS NOT NULL)
UNION ALL
-- Options are kept as text: a thesaurus names its dictionary there.
SELECT 'text search dictionary', n.nspname::text, d.dictname::text, NULL, d.dictinitoption
FROM pg_catalog.pg_ts_dict d
JOIN place n ON n.oid = d.dictnamespace
UNION ALL
SELECT 'setting of routine', n.nspname::text, p.proname::text, pg_catalog.split_part(setting, '=', 1), pg_catalog.quote_literal(setting)
FROM pg_catalog.pg_proc p
JOIN place n ON n.oid = p.pronamespace
CROSS JOIN LATERAL pg_catalog.unnest(p.proconfig) AS setting
WHERE setting NOT LIKE 'search\_path=%'
ORDER BY 1, 2, 3, 4
