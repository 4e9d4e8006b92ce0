-- The session that holds what lock.sql asks for: no row when it has just ended.
SELECT concat_ws(' ', 'process', pg_locks.pid::text, 'of', usename, 'application ' || nullif(application_name, ''))
FROM pg_locks
JOIN pg_namespace ON pg_locks.objid = pg_namespace.oid AND nspname = current_schema()
LEFT JOIN pg_stat_activity ON pg_stat_activity.pid = pg_locks.pid
WHERE locktype = 'advisory'
    AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = 1635086945
    AND objsubid = 2
