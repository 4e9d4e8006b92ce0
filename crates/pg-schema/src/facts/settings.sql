-- every setting that is stored for a role in this database, the layer that wins first; $1: the role
SELECT CASE WHEN s.setrole <> 0 AND s.setdatabase <> 0 THEN 'role in database'
            WHEN s.setrole <> 0 THEN 'role'
            WHEN s.setdatabase <> 0 THEN 'database'
            ELSE 'all roles' END AS layer,
       pg_catalog.lower(pg_catalog.split_part(setting, '=', 1)) AS name,
       pg_catalog.substr(setting, pg_catalog.strpos(setting, '=') + 1) AS value,
       -- When the row was changed last, where the server keeps track of it.
       CASE WHEN pg_catalog.current_setting('track_commit_timestamp') = 'on' AND NOT pg_catalog.pg_is_in_recovery()
            THEN pg_catalog.to_char(pg_catalog.pg_xact_commit_timestamp(s.xmin) AT TIME ZONE 'UTC',
                                    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END AS since
FROM pg_catalog.pg_db_role_setting s
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS stored(setting, place)
WHERE s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
  AND s.setrole IN (0, coalesce((SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1), 0))
ORDER BY s.setrole = 0, s.setdatabase = 0, stored.place
