-- the path that a role has in this database, the time, and the comment on the schema
-- where it is the session's to change; $1: the schema, $2: the role
SELECT pg_catalog.substr(p.setting, pg_catalog.length('search_path=') + 1) AS path,
       pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now,
       pg_catalog.obj_description(n.oid, 'pg_namespace') AS comment
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_roles r ON r.rolname = $2
JOIN pg_catalog.pg_db_role_setting s ON s.setrole = r.oid
JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = pg_catalog.current_database()
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS p(setting)
WHERE n.nspname = $1 AND p.setting LIKE 'search\_path=%' AND pg_catalog.pg_has_role(current_user, n.nspowner, 'USAGE')
