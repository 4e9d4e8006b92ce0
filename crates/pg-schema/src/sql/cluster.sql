-- what an administrator's session may do, and what there is of the role and the database; $1: role, $2: database,
-- $3: what a reset calls the database that it replaces
SELECT pg_catalog.pg_is_in_recovery() AS in_recovery,
       pg_catalog.current_setting('server_version_num')::int4 AS version_number,
       current_user::text AS administrator,
       (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000)::int8::text AS server_started,
       me.rolsuper OR me.rolcreaterole AS may_create_role,
       me.rolsuper OR me.rolcreatedb AS may_create_database,
       me.rolsuper AS is_superuser,
       app.oid IS NOT NULL AS role_exists,
       coalesce(app.rolcanlogin, false) AS role_may_login,
       -- Since version 16 CREATEROLE is not enough: one must be an administrator of that very role.
       coalesce(me.rolsuper OR me.rolcreaterole AND NOT app.rolsuper
                               AND (pg_catalog.current_setting('server_version_num')::int4 < 160000
                                    OR pg_catalog.pg_has_role(current_user, app.oid, 'MEMBER WITH ADMIN OPTION')),
                false) AS may_alter_role,
       -- A locale of another encoding than UTF-8 holds no database in UTF-8; C holds any.
       (SELECT pg_catalog.pg_encoding_to_char(t.encoding) NOT IN ('UTF8', 'SQL_ASCII')
               AND NOT (t.datcollate IN ('C', 'POSIX') AND t.datctype IN ('C', 'POSIX'))
        FROM pg_catalog.pg_database t WHERE t.datname = 'template0') AS needs_locale,
       d.oid IS NOT NULL AS database_exists,
       NOT coalesce(d.datallowconn, true)
           OR EXISTS (SELECT FROM pg_catalog.pg_database aside WHERE aside.datname = $3) AS is_interrupted,
       coalesce(pg_catalog.pg_has_role(current_user, d.datdba, 'USAGE'), false) AS owns_database,
       CASE WHEN app.oid IS NULL OR d.oid IS NULL THEN false
            ELSE pg_catalog.has_database_privilege(app.oid, d.oid, 'CONNECT')
                 AND pg_catalog.has_database_privilege(app.oid, d.oid, 'CREATE')
                 AND pg_catalog.has_database_privilege(app.oid, d.oid, 'TEMPORARY') END AS has_database_privileges
FROM pg_catalog.pg_roles me
LEFT JOIN pg_catalog.pg_roles app ON app.rolname = $1
LEFT JOIN pg_catalog.pg_database d ON d.datname = $2
WHERE me.rolname = current_user
