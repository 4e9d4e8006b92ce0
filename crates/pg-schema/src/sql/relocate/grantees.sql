-- roles that own these objects or were granted something on them, and whether each may use a schema, and another one; PUBLIC
-- has no name here; $1: the schema, $2: the other one, $3: oids of relations, $4: of routines, $5: of types
WITH place AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
     other AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $2),
     relation AS MATERIALIZED (
         SELECT c.oid, c.relowner, c.relacl
         FROM pg_catalog.pg_class c
         JOIN pg_catalog.unnest(pg_catalog.string_to_array($3, ',')) AS o ON o::oid = c.oid
     ),
     -- Few columns have privileges of their own.
     granted AS MATERIALIZED (SELECT t.attrelid, t.attacl FROM pg_catalog.pg_attribute t WHERE t.attacl IS NOT NULL),
     named AS (
         SELECT r.relowner AS role FROM relation r
         UNION
         SELECT a.grantee FROM relation r CROSS JOIN LATERAL pg_catalog.aclexplode(r.relacl) AS a
         UNION
         SELECT a.grantee FROM granted g JOIN relation r ON r.oid = g.attrelid
         CROSS JOIN LATERAL pg_catalog.aclexplode(g.attacl) AS a
         UNION
         -- Everyone may run a function and use a type unless that is taken away: that alone needs nothing.
         SELECT who.role FROM pg_catalog.pg_proc p
         JOIN pg_catalog.unnest(pg_catalog.string_to_array($4, ',')) AS o ON o::oid = p.oid
         CROSS JOIN LATERAL (SELECT p.proowner AS role
                             UNION ALL SELECT a.grantee FROM pg_catalog.aclexplode(p.proacl) AS a WHERE a.grantee <> 0) AS who
         UNION
         SELECT who.role FROM pg_catalog.pg_type t
         JOIN pg_catalog.unnest(pg_catalog.string_to_array($5, ',')) AS o ON o::oid = t.oid
         CROSS JOIN LATERAL (SELECT t.typowner AS role
                             UNION ALL SELECT a.grantee FROM pg_catalog.aclexplode(t.typacl) AS a WHERE a.grantee <> 0) AS who)
SELECT coalesce(r.rolname::text, '') AS role,
       pg_catalog.has_schema_privilege(coalesce(r.rolname, 'public'), (SELECT oid FROM place), 'USAGE') AS may_use,
       coalesce(pg_catalog.has_schema_privilege(coalesce(r.rolname, 'public'), (SELECT oid FROM other), 'USAGE'), false) AS may_use_other
FROM named
LEFT JOIN pg_catalog.pg_roles r ON r.oid = named.role
WHERE named.role = 0 OR r.oid IS NOT NULL AND NOT r.rolsuper
ORDER BY 1
