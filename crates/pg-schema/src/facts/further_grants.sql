-- what stands in access lists for roles that are no further roles any more, or do not write any more; $1: the schema,
-- $2: the app's role, $3: the former, one a line, $4: the latter
WITH app AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2),
     place AS (SELECT oid, nspacl, nspowner FROM pg_catalog.pg_namespace WHERE nspname = $1),
     former AS (
         SELECT r.oid, r.rolname, w.is_gone
         FROM (SELECT name, true AS is_gone FROM pg_catalog.unnest(pg_catalog.string_to_array($3, E'\n')) AS name
               UNION ALL
               SELECT name, false FROM pg_catalog.unnest(pg_catalog.string_to_array($4, E'\n')) AS name) AS w
         JOIN pg_catalog.pg_roles r ON r.rolname = w.name
     ),
     -- Every privilege that a setup grants, and whether the role keeps it that reads.
     ours AS (SELECT * FROM (VALUES ('table', 1, 'SELECT', true), ('table', 2, 'INSERT', false), ('table', 3, 'UPDATE', false),
                                    ('table', 4, 'DELETE', false), ('sequence', 1, 'SELECT', true), ('sequence', 2, 'USAGE', false),
                                    ('schema', 1, 'USAGE', true), ('database', 1, 'CONNECT', true))
                             AS o(class, place, privilege, is_readers)),
     entry AS (
         SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS class, c.relkind::text AS kind, c.relname::text AS name,
                c.relowner AS owner, NULL::text AS creator, acl.*
         FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS acl
         WHERE c.relnamespace = (SELECT oid FROM place) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
         UNION ALL
         SELECT 'schema', 'schema', $1, p.nspowner, NULL, acl.* FROM place p CROSS JOIN LATERAL pg_catalog.aclexplode(p.nspacl) AS acl
         UNION ALL
         SELECT 'database', 'database', d.datname::text, d.datdba, NULL, acl.*
         FROM pg_catalog.pg_database d CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) AS acl
         WHERE d.datname = pg_catalog.current_database()
         UNION ALL
         SELECT CASE a.defaclobjtype WHEN 'S' THEN 'sequence' ELSE 'table' END, 'default', '', a.defaclrole,
                pg_catalog.pg_get_userbyid(a.defaclrole)::text, acl.*
         FROM pg_catalog.pg_default_acl a CROSS JOIN LATERAL pg_catalog.aclexplode(a.defaclacl) AS acl
         WHERE a.defaclnamespace = (SELECT oid FROM place) AND a.defaclobjtype IN ('r', 'S')
     )
SELECT f.rolname::text AS role, e.class, e.kind, e.name, pg_catalog.pg_get_userbyid(e.owner)::text AS owner, e.creator,
       pg_catalog.pg_get_userbyid(e.grantor)::text AS grantor,
       -- What the owner granted, the owner takes back; what another did, only that role.
       e.grantor = e.owner OR e.grantor = (SELECT oid FROM app) AS is_ours,
       pg_catalog.pg_has_role((SELECT oid FROM app), e.grantor, 'USAGE') AS is_apps,
       pg_catalog.string_agg(o.privilege, ', ' ORDER BY o.place) AS privileges
FROM entry e
JOIN former f ON f.oid = e.grantee
JOIN ours o ON o.class = e.class AND o.privilege = e.privilege_type AND (f.is_gone OR NOT o.is_readers)
GROUP BY f.rolname, e.class, e.kind, e.name, e.owner, e.creator, e.grantor
ORDER BY f.rolname, e.class, e.kind, e.name, e.creator
