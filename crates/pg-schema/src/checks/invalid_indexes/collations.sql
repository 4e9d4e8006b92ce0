-- indexes of the schema whose collation is by another version of its library than the one written down; $1: the schema
SELECT n.nspname::text AS place, o.collname::text AS collation, o.collversion AS recorded,
       pg_catalog.pg_collation_actual_version(o.oid) AS actual, c.relname::text AS name,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_collation o ON o.oid = ANY (i.indcollation::oid[])
JOIN pg_catalog.pg_namespace n ON n.oid = o.collnamespace
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) AND c.relkind = 'i'
  AND o.collversion <> pg_catalog.pg_collation_actual_version(o.oid)
ORDER BY 1, 2, 5
