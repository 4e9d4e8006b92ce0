-- what the session that moves may do, and how many locks the server can hold; $1: the app's role
SELECT pg_catalog.current_setting('server_version_num')::int4 AS version_number, r.rolsuper AS is_superuser,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may_create_schema,
       r.rolname = $1 OR coalesce(pg_catalog.pg_has_role(r.oid, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1),
           CASE WHEN pg_catalog.current_setting('server_version_num')::int4 < 160000 THEN 'MEMBER' ELSE 'SET' END), false) AS may_be_app,
       pg_catalog.current_setting('max_locks_per_transaction')::int8
           * (pg_catalog.current_setting('max_connections')::int8
              + pg_catalog.current_setting('max_prepared_transactions')::int8) AS locks,
       pg_catalog.current_setting('max_locks_per_transaction')::int8 AS max_locks_per_transaction,
       (SELECT s.setting::int8 FROM pg_catalog.pg_settings s WHERE s.name = 'deadlock_timeout') AS deadlock_timeout
FROM pg_catalog.pg_roles r
WHERE r.rolname = current_user
