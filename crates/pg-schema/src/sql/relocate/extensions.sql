-- extensions that have a schema as theirs, or members in it, and whether they can be taken out of it again; $1: the schema
WITH place AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
     member AS (
         SELECT d.refobjid AS extension, coalesce(c.relnamespace, t.typnamespace, p.pronamespace, o.oprnamespace) AS schema
         FROM pg_catalog.pg_depend d
         LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::regclass AND c.oid = d.objid
         LEFT JOIN pg_catalog.pg_type t ON d.classid = 'pg_catalog.pg_type'::regclass AND t.oid = d.objid
         LEFT JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
         LEFT JOIN pg_catalog.pg_operator o ON d.classid = 'pg_catalog.pg_operator'::regclass AND o.oid = d.objid
         WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e')
SELECT e.extname::text AS name, e.extrelocatable AS is_relocatable, e.extnamespace = (SELECT oid FROM place) AS is_here,
       pg_catalog.pg_has_role(current_user, e.extowner, 'USAGE') AS is_own,
       NOT EXISTS (SELECT FROM member m WHERE m.extension = e.oid AND m.schema <> (SELECT oid FROM place)) AS is_whole
FROM pg_catalog.pg_extension e
WHERE e.extnamespace = (SELECT oid FROM place)
   OR EXISTS (SELECT FROM member m WHERE m.extension = e.oid AND m.schema = (SELECT oid FROM place))
ORDER BY e.extname
