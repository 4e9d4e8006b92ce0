-- what a further role will lack on what others will make in the schema; $1: the schema, $2: those who may make
-- something there, one a line, $3: the roles that write, one a line, $4: those that read
WITH further AS (
         SELECT r.oid, r.rolname, w.is_write
         FROM (SELECT name, true AS is_write FROM pg_catalog.unnest(pg_catalog.string_to_array($3, E'\n')) AS name
               UNION ALL
               SELECT name, false FROM pg_catalog.unnest(pg_catalog.string_to_array($4, E'\n')) AS name) AS w
         JOIN pg_catalog.pg_roles r ON r.rolname = w.name AND NOT r.rolsuper
     )
SELECT f.rolname::text AS role, creator.rolname::text AS creator, wanted.objects,
       pg_catalog.string_agg(wanted.privilege, ', ' ORDER BY wanted.place) AS privileges
FROM further f
CROSS JOIN pg_catalog.pg_roles creator
CROSS JOIN (VALUES ('TABLES', 'r'::"char", 1, 'SELECT', false), ('TABLES', 'r', 2, 'INSERT', true),
                   ('TABLES', 'r', 3, 'UPDATE', true), ('TABLES', 'r', 4, 'DELETE', true),
                   ('SEQUENCES', 'S', 1, 'SELECT', false), ('SEQUENCES', 'S', 2, 'USAGE', true))
     AS wanted(objects, letter, place, privilege, is_write)
WHERE creator.rolname = ANY (pg_catalog.string_to_array($2, E'\n'))
  AND (f.is_write OR NOT wanted.is_write)
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_default_acl a
      CROSS JOIN LATERAL pg_catalog.aclexplode(a.defaclacl) AS entry
      WHERE a.defaclrole = creator.oid AND a.defaclobjtype = wanted.letter
        AND a.defaclnamespace IN (0, (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1))
        AND entry.privilege_type = wanted.privilege
        AND (entry.grantee = 0 OR pg_catalog.pg_has_role(f.oid, entry.grantee, 'USAGE')))
GROUP BY f.rolname, f.is_write, creator.rolname, wanted.objects
ORDER BY f.is_write DESC, f.rolname, creator.rolname, wanted.objects DESC
