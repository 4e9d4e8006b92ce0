-- stored settings of this database, or of all, and for whom each is
SELECT coalesce(pg_catalog.pg_get_userbyid(nullif(s.setrole, 0))::text, '') AS role, s.setdatabase <> 0 AS is_of_database,
       pg_catalog.split_part(setting, '=', 1) AS name, pg_catalog.substr(setting, pg_catalog.strpos(setting, '=') + 1) AS value
FROM pg_catalog.pg_db_role_setting s
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS setting
WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))
ORDER BY 1, 2, 3
