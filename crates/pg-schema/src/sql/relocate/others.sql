-- event triggers that run by our statements, and prepared transactions of this database
SELECT 'event trigger' AS what, t.evtname::text AS name, t.evtevent::text AS detail
FROM pg_catalog.pg_event_trigger t
WHERE t.evtenabled <> 'D' AND t.evtevent IN ('ddl_command_start', 'ddl_command_end', 'sql_drop')
UNION ALL
SELECT 'prepared transaction', x.gid, 'of ' || x.owner
FROM pg_catalog.pg_prepared_xacts x
WHERE x.database = pg_catalog.current_database()
ORDER BY 1, 2
