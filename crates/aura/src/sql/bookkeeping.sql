-- The schema of the table that refinery's unqualified name means on this connection: no row where there is none.
SELECT nspname::text
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE pg_class.oid = to_regclass('refinery_schema_history')
