-- the extensions of this database
SELECT x.extname::text AS name, n.nspname::text AS schema, x.extrelocatable AS is_relocatable
FROM pg_catalog.pg_extension x
JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
WHERE x.extname <> 'plpgsql'
ORDER BY 1
