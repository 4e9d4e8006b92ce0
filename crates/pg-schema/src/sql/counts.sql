-- how many relations lie in the schema; $1: the schema
SELECT count(*) FILTER (WHERE relkind IN ('r', 'p')) AS tables,
       count(*) FILTER (WHERE relkind IN ('v', 'm', 'f')) AS views,
       count(*) FILTER (WHERE relkind = 'S') AS sequences
FROM pg_catalog.pg_class
WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)
