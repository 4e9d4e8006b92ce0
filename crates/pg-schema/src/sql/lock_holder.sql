-- who holds the setup's lock
SELECT a.pid, coalesce(a.usename::text, '?'), pg_catalog.to_char(a.backend_start, 'HH24:MI:SS')
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid::int8 = 1885810035 AND l.objid::int8 = 1667786093
