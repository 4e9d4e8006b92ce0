-- the time, and the comment on the schema where it is the session's to change; $1: the schema
SELECT pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS now,
       pg_catalog.obj_description(oid, 'pg_namespace') AS comment
FROM pg_catalog.pg_namespace
WHERE nspname = $1 AND pg_catalog.pg_has_role(current_user, nspowner, 'USAGE')
