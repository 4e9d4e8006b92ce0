-- types and operator classes that the tables of a schema use, by the schema that each lies in; $1: the schema
SELECT DISTINCT ON (used.schema, used.is_extensions) used.schema::text, used.what, used.name::text, used.is_extensions, used.by::text
FROM (
    SELECT n.nspname AS schema, 'type' AS what, b.typname AS name, c.relname || '.' || a.attname AS by,
           EXISTS (SELECT FROM pg_catalog.pg_depend x
                   WHERE x.classid = 'pg_catalog.pg_type'::regclass AND x.objid = b.oid AND x.deptype = 'e') AS is_extensions
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace place ON place.oid = c.relnamespace AND place.nspname = $1
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'b' AND t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem ELSE t.oid END
    JOIN pg_catalog.pg_namespace n ON n.oid = b.typnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT n.nspname, 'operator class', o.opcname, c.relname,
           EXISTS (SELECT FROM pg_catalog.pg_depend x
                   WHERE x.classid = 'pg_catalog.pg_opclass'::regclass AND x.objid = o.oid AND x.deptype = 'e')
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace place ON place.oid = c.relnamespace AND place.nspname = $1
    JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
    CROSS JOIN LATERAL pg_catalog.unnest(i.indclass::oid[]) AS class(oid)
    JOIN pg_catalog.pg_opclass o ON o.oid = class.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace
) AS used
WHERE used.schema NOT IN ('pg_catalog', 'information_schema')
ORDER BY used.schema, used.is_extensions, used.what DESC, used.by
