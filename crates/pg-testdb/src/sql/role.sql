-- what a role may change of itself for every database
SELECT a.rolpassword AS verifier,
       ARRAY(SELECT c.setting FROM pg_catalog.pg_db_role_setting s
              CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (setting)
              WHERE s.setdatabase = 0 AND s.setrole = a.oid ORDER BY c.setting) AS settings
  FROM pg_catalog.pg_authid a WHERE a.rolname = $1
