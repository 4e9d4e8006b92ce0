-- who may make objects in the schema, whether what each makes there will be a role's to use, as which of them
-- the session may act, and which of those whom we ask to may set the database's search_path;
-- $1: the schema, $2: the role, $3: the administrator, or empty
WITH place AS (SELECT oid, nspowner FROM pg_catalog.pg_namespace WHERE nspname = $1),
     app AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2),
     creator AS (
         SELECT oid, min(certain) = 0 AS certain
         FROM (SELECT oid, 0 AS certain FROM app
               UNION ALL SELECT nspowner, 0 FROM place
               UNION ALL SELECT DISTINCT relowner, 0 FROM pg_catalog.pg_class WHERE relnamespace = (SELECT oid FROM place)
               UNION ALL SELECT oid, 0 FROM pg_catalog.pg_roles WHERE rolname = $3
               -- The database's owner, unless it could not create there.
               UNION ALL SELECT datdba, 1 FROM pg_catalog.pg_database
                         WHERE datname = pg_catalog.current_database()
                           AND coalesce(pg_catalog.has_schema_privilege(datdba, (SELECT oid FROM place), 'CREATE'), true)) found
         GROUP BY oid
     ),
     -- What ALTER DEFAULT PRIVILEGES says: the entry of the schema is added to the global one, which
     -- replaces the built-in default (the manual's section 5.8 and pg_default_acl).
     granted AS (
         SELECT creator.oid AS creator, kind.letter, entry.grantee, entry.privilege_type
         FROM creator
         CROSS JOIN (VALUES ('r'::"char"), ('S')) AS kind(letter)
         CROSS JOIN LATERAL (
             SELECT coalesce((SELECT a.defaclacl FROM pg_catalog.pg_default_acl a
                              WHERE a.defaclrole = creator.oid AND a.defaclnamespace = 0 AND a.defaclobjtype = kind.letter),
                             pg_catalog.acldefault(CASE kind.letter WHEN 'S' THEN 's'::"char" ELSE kind.letter END, creator.oid)) AS acl
             UNION ALL
             SELECT a.defaclacl FROM pg_catalog.pg_default_acl a
             WHERE a.defaclrole = creator.oid AND a.defaclnamespace = (SELECT oid FROM place)
               AND a.defaclobjtype = kind.letter
         ) AS acls
         CROSS JOIN LATERAL pg_catalog.aclexplode(acls.acl) AS entry
     )
SELECT r.rolname::text AS name, creator.certain, r.rolname = $2 AS is_app,
       -- Since version 16 a member may be kept from SET ROLE.
       pg_catalog.pg_has_role(current_user, r.oid, CASE WHEN current_setting('server_version_num')::int4 < 160000
                                                        THEN 'MEMBER' ELSE 'SET' END) AS may_be_acted_as,
       r.rolname IN ($2, $3)
       AND pg_catalog.pg_has_role(r.oid, (SELECT datdba FROM pg_catalog.pg_database
                                          WHERE datname = pg_catalog.current_database()), 'USAGE') AS sets_database_path,
       (SELECT count(DISTINCT g.privilege_type) FROM granted g
        WHERE g.creator = creator.oid AND g.letter = 'r'
          AND g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')
          AND (g.grantee = 0 OR pg_catalog.pg_has_role((SELECT oid FROM app), g.grantee, 'USAGE'))) = 7 AS tables,
       (SELECT count(DISTINCT g.privilege_type) FROM granted g
        WHERE g.creator = creator.oid AND g.letter = 'S'
          AND g.privilege_type IN ('USAGE', 'SELECT', 'UPDATE')
          AND (g.grantee = 0 OR pg_catalog.pg_has_role((SELECT oid FROM app), g.grantee, 'USAGE'))) = 3 AS sequences
FROM creator
JOIN pg_catalog.pg_roles r ON r.oid = creator.oid
WHERE r.rolname <> 'pg_database_owner'
ORDER BY NOT creator.certain, 1
