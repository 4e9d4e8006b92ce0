-- whether the schema is, or could become, a role's to use; the role may be missing yet, and then has what
-- everybody has; $1: the schema, $2: the role, $3: the administrator
SELECT n.oid IS NOT NULL AS schema_exists, pg_catalog.pg_get_userbyid(n.nspowner)::text AS schema_owner,
       (SELECT pg_catalog.pg_get_userbyid(d.datdba)::text FROM pg_catalog.pg_database d
        WHERE d.datname = pg_catalog.current_database()) AS database_owner,
       n.oid IS NULL AND pg_catalog.has_database_privilege(app.name, pg_catalog.current_database(), 'CREATE') AS may_be_made,
       coalesce(pg_catalog.has_schema_privilege(app.name, n.oid, 'USAGE')
                AND pg_catalog.has_schema_privilege(app.name, n.oid, 'CREATE'), false) AS is_usable,
       coalesce(pg_catalog.has_schema_privilege($3, n.oid, 'USAGE WITH GRANT OPTION')
                AND pg_catalog.has_schema_privilege($3, n.oid, 'CREATE WITH GRANT OPTION'), false) AS may_be_granted
FROM (SELECT coalesce((SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = $2), 'public'::name) AS name) app
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1
