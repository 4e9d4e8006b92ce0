-- sessions of the app's role and ours that have waited for a lock of a table or the like for some seconds, and who holds
-- it: 0 for a prepared transaction; $1: the database, $2: the role
SELECT h.pid, coalesce(b.usename::text, '') AS role, coalesce(b.application_name, '') AS application,
       coalesce(pg_catalog.to_char(b.xact_start, 'HH24:MI:SS'), '') AS since, coalesce(b.state, '') AS state,
       coalesce(b.query, '') AS statement
FROM pg_catalog.pg_stat_activity a
CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(a.pid)) AS h(pid)
LEFT JOIN pg_catalog.pg_stat_activity b ON b.pid = h.pid
WHERE a.datname = $1 AND a.usename IN ($2, current_user) AND a.wait_event_type = 'Lock' AND a.wait_event <> 'advisory'
  AND pg_catalog.clock_timestamp() - a.query_start >= '4 s'::interval
