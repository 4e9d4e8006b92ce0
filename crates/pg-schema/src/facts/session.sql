-- what the app's own session is, and what its database, schema and role are; $1: the schema
SELECT pg_catalog.current_setting('server_version') AS version,
       pg_catalog.current_setting('server_version_num')::int4 AS version_number,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       current_user::text AS role,
       r.rolsuper AS is_superuser,
       d.datname::text AS database,
       pg_catalog.pg_get_userbyid(d.datdba)::text AS database_owner,
       pg_catalog.pg_has_role(current_user, d.datdba, 'USAGE') AS owns_database,
       pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
       pg_catalog.has_database_privilege(d.oid, 'CREATE') AS may_create_schema,
       pg_catalog.has_database_privilege(d.oid, 'TEMPORARY') AS may_create_temporary,
       n.oid IS NOT NULL AS schema_exists,
       pg_catalog.pg_get_userbyid(n.nspowner)::text AS schema_owner,
       coalesce(pg_catalog.pg_has_role(current_user, n.nspowner, 'USAGE'), false) AS owns_schema,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), false) AS schema_usage,
       coalesce(pg_catalog.has_schema_privilege(n.oid, 'CREATE'), false) AS schema_create,
       pg_catalog.obj_description(n.oid, 'pg_namespace') AS schema_comment,
       -- the record of the schema's contents, of which the first line says what it is
       t.oid IS NOT NULL AS has_contents_record,
       pg_catalog."left"(pg_catalog.obj_description(t.oid, 'pg_type'), 300) AS contents_record,
       -- where migration tools keep their books in the schema: table and column, and no column where the role may not read
       ARRAY(SELECT c.relname || '.' || CASE WHEN pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN a.attname ELSE '' END FROM pg_catalog.pg_class c
             JOIN (VALUES ('refinery_schema_history', 'version'), ('_sqlx_migrations', 'version'),
                          ('__diesel_schema_migrations', 'version'), ('seaql_migrations', 'version'),
                          ('django_migrations', 'name'), ('alembic_version', 'version_num'),
                          ('flyway_schema_history', 'script'), ('schema_migrations', 'version'),
                          ('goose_db_version', 'version_id'), ('gorp_migrations', 'id'), ('databasechangelog', 'id'),
                          ('knex_migrations', 'name'), ('_prisma_migrations', 'migration_name'),
                          ('atlas_schema_revisions', 'version'), ('pgmigrations', 'name'), ('typeorm_migrations', 'name'))
                  AS known(of, name) ON c.relname = known.of
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = known.name
             WHERE c.relnamespace = n.oid AND c.relkind = 'r'
             ORDER BY 1) AS books,
       coalesce(pg_catalog.has_schema_privilege(p.oid, 'CREATE'), false) AS public_create,
       pg_catalog.pg_get_userbyid(p.nspowner)::text AS public_owner,
       -- through which grants the role may create in public: names, an empty one for PUBLIC
       ARRAY(SELECT CASE entry.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(entry.grantee)::text END
             FROM pg_catalog.aclexplode(coalesce(p.nspacl, pg_catalog.acldefault('n', p.nspowner))) AS entry
             WHERE entry.privilege_type = 'CREATE'
               AND (entry.grantee = 0 OR pg_catalog.pg_has_role(current_user, entry.grantee, 'USAGE'))
             ORDER BY 1) AS public_creators,
       pg_catalog.current_setting('default_transaction_read_only') = 'on' AS is_read_only,
       -- "$user" in a path leads there: to a schema named like the role that is not the app's
       r.rolname <> $1 AND EXISTS (SELECT FROM pg_catalog.pg_namespace u WHERE u.nspname = r.rolname) AS has_role_schema,
       NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                   JOIN pg_catalog.pg_namespace u ON u.oid = x.refobjid AND u.nspname = r.rolname
                   WHERE x.refclassid = 'pg_catalog.pg_namespace'::regclass AND x.deptype = 'n') AS role_schema_is_empty,
       (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000)::int8::text AS server_started,
       -- how long the process that serves us has served: longer than we are connected, where a pooler is in between
       (SELECT (extract(epoch FROM pg_catalog.clock_timestamp() - a.backend_start) * 1000)::int8
        FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a) AS backend_age
FROM pg_catalog.pg_database d
JOIN pg_catalog.pg_roles r ON r.rolname = current_user
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1
LEFT JOIN pg_catalog.pg_type t ON t.typnamespace = n.oid AND t.typname = 'xtask_contents_record'
LEFT JOIN pg_catalog.pg_namespace p ON p.nspname = 'public'
WHERE d.datname = pg_catalog.current_database()
