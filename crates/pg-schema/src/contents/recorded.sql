-- the lines of the record of a schema's contents, behind the first one; $1: the schema
SELECT pg_catalog.substr(d.description, pg_catalog.strpos(d.description, E'\n') + 1) AS lines
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_description d ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_type'::regclass AND d.objsubid = 0
WHERE n.nspname = $1 AND t.typname = 'xtask_contents_record'
