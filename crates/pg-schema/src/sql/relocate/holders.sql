-- sessions that hold locks on relations of a schema, and since when their transactions run; $1: the schema
SELECT l.pid, coalesce(pg_catalog.min(a.usename)::text, '') AS role, coalesce(pg_catalog.min(a.application_name), '') AS application,
       coalesce(pg_catalog.min(a.state), '') AS state, pg_catalog.min(c.relname)::text AS relation,
       coalesce(pg_catalog.to_char(pg_catalog.min(a.xact_start), 'YYYY-MM-DD HH24:MI:SS TZ'), '') AS since
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
  AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
GROUP BY l.pid
ORDER BY 6, 1
