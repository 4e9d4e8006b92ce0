-- sessions of a role in this database that began before a time; $1: the role, $2: the time. It is asked outside our
-- transactions, which would show the same sessions again and again, and so by the session's own path: each operator
-- is named with its schema
SELECT a.pid, pg_catalog.to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ') AS since, a.application_name
FROM pg_catalog.pg_stat_activity a
WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND a.usename OPERATOR(pg_catalog.=) $1::pg_catalog.name
  AND a.backend_type OPERATOR(pg_catalog.=) 'client backend'::pg_catalog.text
  AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
  AND a.backend_start OPERATOR(pg_catalog.<) $2::pg_catalog.timestamptz
ORDER BY a.backend_start USING OPERATOR(pg_catalog.<)
