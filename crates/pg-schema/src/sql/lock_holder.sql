-- who holds the setup's lock, and by which command: what an older version has set is not known
SELECT a.pid, coalesce(nullif(a.application_name, '') || ', ', '') AS command, coalesce(a.usename::text, '?') AS role,
       pg_catalog.to_char(a.backend_start, 'HH24:MI:SS') AS since
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid::int8 = 1885810035 AND l.objid::int8 = 1667786093
