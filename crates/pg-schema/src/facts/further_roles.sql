-- which of the further roles exist, and what each may do in the database and with the schema; $1: the schema, $2: the
-- app's role, $3: the database, $4: their names, one a line
SELECT given.name, r.oid IS NOT NULL AS exists, coalesce(r.rolsuper, false) AS is_superuser,
       coalesce(pg_catalog.pg_has_role(r.oid, app.oid, 'MEMBER'), false) AS is_member,
       -- One that does not exist will have what PUBLIC has, and so will it in a new database.
       coalesce(CASE WHEN r.oid IS NULL THEN pg_catalog.has_database_privilege('public'::name, d.oid, 'CONNECT')
                     ELSE pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT') END, true) AS connect,
       coalesce(pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE'), false) AS usage,
       coalesce(pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE'), false) AS create
FROM pg_catalog.unnest(pg_catalog.string_to_array($4, E'\n')) WITH ORDINALITY AS given(name, place)
LEFT JOIN pg_catalog.pg_roles r ON r.rolname = given.name
LEFT JOIN pg_catalog.pg_roles app ON app.rolname = $2
LEFT JOIN pg_catalog.pg_database d ON d.datname = $3
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1
ORDER BY given.place
