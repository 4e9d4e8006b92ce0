-- the database's own collation, where it is by another version of its library than the one written down, and the indexes
-- of the schema that have it; since version 15; $1: the schema
SELECT NULL AS place, NULL AS collation, d.datcollversion AS recorded,
       pg_catalog.pg_database_collation_actual_version(d.oid) AS actual, c.relname::text AS name,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner
FROM pg_catalog.pg_database d
LEFT JOIN (pg_catalog.pg_index i
           JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
                AND c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1))
       ON (SELECT oid FROM pg_catalog.pg_collation
           WHERE collname = 'default' AND collnamespace = 'pg_catalog'::regnamespace) = ANY (i.indcollation::oid[])
WHERE d.datname = pg_catalog.current_database()
  AND d.datcollversion <> pg_catalog.pg_database_collation_actual_version(d.oid)
ORDER BY 5
