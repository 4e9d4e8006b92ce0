-- objects outside the schema that are ours or lie in `public`, extension members left out;
-- $1: the schema, $2: the role
WITH app AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2),
     elsewhere AS (
         SELECT oid, nspname::text AS name, nspname = 'public' AS is_public
         FROM pg_catalog.pg_namespace
         WHERE nspname NOT IN ($1, 'pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp|toast_temp)(_|$)'
     )
SELECT c.relkind::text AS kind, e.name AS schema, c.relname::text AS name, NULL::text AS arguments,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       (SELECT pg_catalog.pg_get_userbyid(twin.relowner)::text || ' ' || twin.relkind::text
        FROM pg_catalog.pg_class twin JOIN pg_catalog.pg_namespace n ON n.oid = twin.relnamespace
        WHERE n.nspname = $1 AND twin.relname = c.relname AND twin.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')) AS twin
FROM pg_catalog.pg_class c
JOIN elsewhere e ON e.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND (e.is_public OR c.relowner = (SELECT oid FROM app))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = c.oid
                    AND (x.deptype = 'e' OR c.relkind = 'S' AND x.deptype IN ('a', 'i')
                                            AND x.refclassid = 'pg_catalog.pg_class'::regclass))
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, e.name, t.typname::text, NULL,
       pg_catalog.pg_get_userbyid(t.typowner)::text, NULL
FROM pg_catalog.pg_type t
JOIN elsewhere e ON e.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c')
  AND (e.is_public OR t.typowner = (SELECT oid FROM app))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e')
UNION ALL
SELECT 'routine', e.name, p.proname::text, pg_catalog.pg_get_function_identity_arguments(p.oid),
       pg_catalog.pg_get_userbyid(p.proowner)::text, NULL
FROM pg_catalog.pg_proc p
JOIN elsewhere e ON e.oid = p.pronamespace
WHERE p.prokind IN ('f', 'p')
  AND (e.is_public OR p.proowner = (SELECT oid FROM app))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'e')
-- A range's constructors and multirange come and go with it.
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'i')
ORDER BY 2, 1, 3
