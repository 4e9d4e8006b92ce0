-- routines of the schema whose text names something in another schema that is no extension's, or does not
-- exist, or whose own search_path is set; $1: the schema
WITH place AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
     elsewhere AS (
         SELECT oid, nspname FROM pg_catalog.pg_namespace
         WHERE nspname NOT IN ($1, 'pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp|toast_temp)(_|$)'
     ),
     routine AS (
         SELECT p.oid, p.proname, p.proargtypes, p.proowner, p.proargnames,
                -- Comments are nobody's business; what stands in a string may be run.
                CASE WHEN l.lanname NOT IN ('internal', 'c')
                     THEN pg_catalog.regexp_replace(p.prosrc, '--[^\n]*|/\*([^*]|\*+[^*/])*\*+/', ' ', 'g') END AS body,
                (SELECT pg_catalog.substr(setting, pg_catalog.length('search_path=') + 1)
                 FROM pg_catalog.unnest(p.proconfig) AS setting WHERE setting LIKE 'search\_path=%') AS path
         FROM pg_catalog.pg_proc p
         JOIN pg_catalog.pg_language l ON l.oid = p.prolang
         WHERE p.pronamespace = (SELECT oid FROM place) AND p.prokind <> 'a'
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                           LEFT JOIN pg_catalog.pg_extension e
                                  ON x.refclassid = 'pg_catalog.pg_extension'::regclass AND e.oid = x.refobjid
                           WHERE x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = p.oid
                             -- An extension's owner may add any routine of theirs to it.
                             AND (x.deptype = 'i'
                                  OR x.deptype = 'e' AND (e.extowner <> p.proowner
                                                          OR p.proowner IN (SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper))))
     ),
     -- Every `a.b` of the text, names in quotes too.
     mention AS (
         SELECT DISTINCT r.oid, e.oid AS schema_oid, e.nspname AS schema, names.object
         FROM routine r
         CROSS JOIN LATERAL pg_catalog.regexp_matches(r.body,
             '(?<![.$@/"[:alnum:]_])(?:"((?:[^"]|"")+)"|([[:alpha:]_][[:alnum:]_$]*))\s*\.\s*(?:"((?:[^"]|"")+)"|([[:alpha:]_][[:alnum:]_$]*))',
             'g') AS part
         CROSS JOIN LATERAL (SELECT coalesce(pg_catalog.replace(part[1], '""', '"'), pg_catalog.lower(part[2])) AS schema,
                                    coalesce(pg_catalog.replace(part[3], '""', '"'), pg_catalog.lower(part[4])) AS object) AS names
         JOIN elsewhere e ON e.nspname = names.schema
     ),
     named AS (
         SELECT m.oid, m.schema, m.object, found.is_extensions
         FROM mention m
         CROSS JOIN LATERAL (
             SELECT pg_catalog.bool_or(EXISTS (SELECT FROM pg_catalog.pg_depend x
                                               WHERE x.classid = o.class AND x.objid = o.oid AND x.deptype = 'e')) AS is_extensions
             FROM (SELECT c.tableoid AS class, c.oid FROM pg_catalog.pg_class c
                   WHERE c.relnamespace = m.schema_oid AND c.relname = m.object
                   UNION ALL
                   SELECT t.tableoid, t.oid FROM pg_catalog.pg_type t
                   WHERE t.typnamespace = m.schema_oid AND t.typname = m.object
                   UNION ALL
                   SELECT p.tableoid, p.oid FROM pg_catalog.pg_proc p
                   WHERE p.pronamespace = m.schema_oid AND p.proname = m.object) AS o
         ) AS found
         UNION ALL
         -- A body of parsed statements has no text: what it needs is written down as dependencies.
         SELECT r.oid, e.nspname, c.relname, false
         FROM routine r
         JOIN pg_catalog.pg_depend x ON x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = r.oid
                                    AND x.refclassid = 'pg_catalog.pg_class'::regclass
         JOIN pg_catalog.pg_class c ON c.oid = x.refobjid
         JOIN elsewhere e ON e.oid = c.relnamespace
         WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend y
                           WHERE y.classid = 'pg_catalog.pg_class'::regclass AND y.objid = c.oid AND y.deptype = 'e')
     ),
     -- `a.b` where a statement has a table or calls a function, and no schema is called `a`. An alias, a variable and a
     -- parameter stand somewhere without a dot behind them, too: `extract(epoch FROM t.made)`.
     called AS (
         SELECT DISTINCT r.oid, names.schema, names.object
         FROM routine r
         CROSS JOIN LATERAL pg_catalog.regexp_matches(r.body,
             '\m(?:INSERT\s+INTO|DELETE\s+FROM|FROM|JOIN|UPDATE|CALL|PERFORM|TRUNCATE|TABLE)\s+(?:TABLE\s+)?(?:ONLY\s+)?'
             '"?([[:alpha:]_][[:alnum:]_]*)"?\s*\.\s*"?([[:alpha:]_][[:alnum:]_]*)"?'
             '|(?<![.$@/"[:alnum:]_])"?([[:alpha:]_][[:alnum:]_]*)"?\s*\.\s*"?([[:alpha:]_][[:alnum:]_]*)"?\s*\(', 'gi') AS part
         CROSS JOIN LATERAL (SELECT pg_catalog.lower(coalesce(part[1], part[3])) AS schema,
                                    pg_catalog.lower(coalesce(part[2], part[4])) AS object) AS names
         WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE pg_catalog.lower(n.nspname) = names.schema)
           AND names.schema NOT IN ('new', 'old', 'excluded', 'pg_temp', pg_catalog.lower(r.proname))
           AND NOT names.schema = ANY (coalesce(r.proargnames, '{}'))
           AND r.body !~* ('(?<![[:alnum:]_$])' || names.schema || '(?![[:alnum:]_$"])(?!\s*\.)')
     ),
     finding AS (
         SELECT oid, schema, object, is_extensions IS NULL AS is_missing,
                EXISTS (SELECT FROM pg_catalog.pg_class c
                        WHERE c.relnamespace = (SELECT oid FROM place) AND c.relname = object) AS has_twin, NULL AS path
         FROM named
         -- An alias may be called like a schema: only in public is what does not exist taken for a table.
         WHERE NOT is_extensions OR is_extensions IS NULL AND schema = 'public'
         UNION ALL
         SELECT oid, schema, object, true,
                EXISTS (SELECT FROM pg_catalog.pg_class c
                        WHERE c.relnamespace = (SELECT oid FROM place) AND c.relname = called.object), NULL
         FROM called
         UNION ALL
         SELECT oid, NULL, NULL, false, false, path FROM routine WHERE path IS NOT NULL
     )
SELECT 'routine' AS kind, r.proname::text AS name,
       -- Schema and name of each type.
       ARRAY(SELECT part.name
             FROM pg_catalog.unnest(r.proargtypes) WITH ORDINALITY AS given(type, place)
             JOIN pg_catalog.pg_type a ON a.oid = given.type
             JOIN pg_catalog.pg_namespace n ON n.oid = a.typnamespace
             CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[n.nspname::text, a.typname::text])
                                WITH ORDINALITY AS part(name, place)
             ORDER BY given.place, part.place) AS arguments,
       pg_catalog.pg_get_userbyid(r.proowner)::text AS owner,
       f.schema::text AS named_schema, f.object::text AS named_object, f.is_missing, f.has_twin, f.path,
       -- Which of the path's schemas exist is asked where there is one.
       CASE WHEN f.path IS NOT NULL THEN ARRAY(SELECT nspname::text FROM pg_catalog.pg_namespace) END AS schemas
FROM finding f
JOIN routine r ON r.oid = f.oid
ORDER BY r.proname, arguments, f.schema, f.object
