-- the extensions of this database; one that has a member which is not a superuser's is not to be moved to where others
-- would meet it
SELECT x.extname::text AS name, n.nspname::text AS schema,
       x.extrelocatable AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend d
           LEFT JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
           LEFT JOIN pg_catalog.pg_operator o ON d.classid = 'pg_catalog.pg_operator'::regclass AND o.oid = d.objid
           JOIN pg_catalog.pg_roles r ON r.oid IN (p.proowner, o.oprowner)
           WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e'
             AND NOT r.rolsuper) AS is_relocatable
FROM pg_catalog.pg_extension x
JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
WHERE x.extname <> 'plpgsql'
ORDER BY 1
