-- foreign tables whose remote schema is called like the one that they lie in, as postgres_fdw has it where nothing else is
-- said; $1: the schema
SELECT c.oid, c.relname::text AS name
FROM pg_catalog.pg_foreign_table f
JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
JOIN pg_catalog.pg_proc h ON h.oid = w.fdwhandler
WHERE n.nspname = $1 AND h.proname = 'postgres_fdw_handler'
  AND NOT EXISTS (SELECT FROM pg_catalog.unnest(f.ftoptions) AS option WHERE option LIKE 'schema\_name=%')
ORDER BY c.relname
