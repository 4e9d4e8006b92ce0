-- sessions of a role in this database that began before a time; $1: the role, $2: the time
SELECT a.pid, pg_catalog.to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ') AS since, a.application_name
FROM pg_catalog.pg_stat_get_activity(NULL) a
WHERE a.datid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND a.usesysid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1) AND a.backend_type = 'client backend'
  AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_start < $2::timestamptz
ORDER BY a.backend_start
