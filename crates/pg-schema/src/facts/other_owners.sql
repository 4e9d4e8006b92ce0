-- objects of the schema that a role does not own, extension members, owned sequences and the
-- constructors of ranges left out; and what inherits from a table of the schema, elsewhere;
-- $1: the schema, $2: the role
WITH RECURSIVE place AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
     app AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2),
     child AS (
         SELECT i.inhrelid AS oid, i.inhparent AS parent FROM pg_catalog.pg_inherits i
         JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
         WHERE p.relnamespace = (SELECT oid FROM place) AND p.relkind IN ('r', 'p', 'f')
         UNION
         SELECT i.inhrelid, child.parent FROM child JOIN pg_catalog.pg_inherits i ON i.inhparent = child.oid
     )
SELECT c.relkind::text AS kind, c.relname::text AS name, NULL::text[] AS arguments,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, false AS is_definers,
       c.tableoid AS class, c.oid AS object, $1 AS schema, NULL AS parent
FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT oid FROM place)
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), c.relowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = c.oid
                    AND (x.deptype = 'e' OR c.relkind = 'S' AND x.deptype IN ('a', 'i')
                                            AND x.refclassid = 'pg_catalog.pg_class'::regclass))
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, t.typname::text, NULL,
       pg_catalog.pg_get_userbyid(t.typowner)::text, false, t.tableoid, t.oid, $1, NULL
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE t.typnamespace = (SELECT oid FROM place)
  AND (t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c')
  AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), t.typowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e')
UNION ALL
SELECT 'routine', p.proname::text,
       -- Schema and name of each type.
       ARRAY(SELECT part.name
             FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS given(type, place)
             JOIN pg_catalog.pg_type a ON a.oid = given.type
             JOIN pg_catalog.pg_namespace n ON n.oid = a.typnamespace
             CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[n.nspname::text, a.typname::text])
                                WITH ORDINALITY AS part(name, place)
             ORDER BY given.place, part.place),
       pg_catalog.pg_get_userbyid(p.proowner)::text, p.prosecdef, p.tableoid, p.oid, $1, NULL
FROM pg_catalog.pg_proc p
WHERE p.pronamespace = (SELECT oid FROM place)
  AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), p.proowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = p.oid AND x.deptype IN ('e', 'i'))
UNION ALL
SELECT found.kind, found.name::text, NULL, pg_catalog.pg_get_userbyid(found.owner)::text, false, found.class, found.oid, $1, NULL
FROM (SELECT 'configuration' AS kind, cfgname AS name, cfgowner AS owner, tableoid AS class, oid, cfgnamespace AS place
      FROM pg_catalog.pg_ts_config
      UNION ALL
      SELECT 'dictionary', dictname, dictowner, tableoid, oid, dictnamespace FROM pg_catalog.pg_ts_dict
      UNION ALL
      SELECT 'statistics', stxname, stxowner, tableoid, oid, stxnamespace FROM pg_catalog.pg_statistic_ext) AS found
WHERE found.place = (SELECT oid FROM place)
  AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), found.owner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = found.class AND x.objid = found.oid AND x.deptype = 'e')
UNION ALL
SELECT c.relkind::text, c.relname::text, NULL, pg_catalog.pg_get_userbyid(c.relowner)::text, false, c.tableoid, c.oid,
       n.nspname::text, pg_catalog.min(p.relname::text)
FROM child
JOIN pg_catalog.pg_class c ON c.oid = child.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = child.parent
WHERE c.relnamespace <> (SELECT oid FROM place)
  AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), c.relowner, 'USAGE')
GROUP BY c.relkind, c.relname, c.relowner, c.tableoid, c.oid, n.nspname
ORDER BY 1, 2
