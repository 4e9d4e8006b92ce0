-- the version of the setting that gives a role its path in this database, the time, and the comment on the schema
-- where it is the session's to change; $1: the schema, $2: the role
SELECT s.xmin::text AS version,
       pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now,
       pg_catalog.obj_description(n.oid, 'pg_namespace') AS comment
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_roles r ON r.rolname = $2
JOIN pg_catalog.pg_db_role_setting s ON s.setrole = r.oid
JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = pg_catalog.current_database()
WHERE n.nspname = $1 AND pg_catalog.pg_has_role(current_user, n.nspowner, 'USAGE')
  AND EXISTS (SELECT FROM pg_catalog.unnest(s.setconfig) AS setting WHERE setting LIKE 'search\_path=%')
