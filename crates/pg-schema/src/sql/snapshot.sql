-- every lasting object that a migration can make: class and oid say whether it was there before. What lies in a schema
-- that an extension has made, and not the role's own extension, is there by the extension's design
WITH designed AS (
         SELECT x.objid AS oid
         FROM pg_catalog.pg_depend x
         JOIN pg_catalog.pg_extension e ON e.oid = x.refobjid
         WHERE x.classid = 'pg_catalog.pg_namespace'::regclass AND x.deptype = 'e'
           AND x.refclassid = 'pg_catalog.pg_extension'::regclass
           AND NOT pg_catalog.pg_has_role(current_user, e.extowner, 'USAGE')
     )
SELECT c.tableoid AS class, c.oid AS object, c.relkind::text AS kind, n.nspname::text AS schema, c.relname::text AS name,
       NULL::text[] AS arguments, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND n.oid NOT IN (SELECT oid FROM designed)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')
UNION ALL
SELECT t.tableoid, t.oid, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, n.nspname::text, t.typname::text,
       NULL, pg_catalog.pg_get_userbyid(t.typowner)::text
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c')
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND n.oid NOT IN (SELECT oid FROM designed)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e')
UNION ALL
SELECT p.tableoid, p.oid, 'routine', n.nspname::text, p.proname::text,
       -- Schema and name of each type.
       ARRAY(SELECT part.name
             FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS given(type, place)
             JOIN pg_catalog.pg_type a ON a.oid = given.type
             JOIN pg_catalog.pg_namespace n ON n.oid = a.typnamespace
             CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[n.nspname::text, a.typname::text])
                                WITH ORDINALITY AS part(name, place)
             ORDER BY given.place, part.place),
       pg_catalog.pg_get_userbyid(p.proowner)::text
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND n.oid NOT IN (SELECT oid FROM designed)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = p.oid AND x.deptype IN ('e', 'i'))
