-- what belongs to a database and does not lie in it: $1
SELECT d.datconnlimit,
       ARRAY(SELECT coalesce(g.rolname::text, '')
               FROM pg_catalog.aclexplode(d.datacl) a LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee
              GROUP BY a.grantee, g.rolname, a.is_grantable ORDER BY a.grantee, a.is_grantable) AS grantees,
       ARRAY(SELECT pg_catalog.string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
               FROM pg_catalog.aclexplode(d.datacl) a
              GROUP BY a.grantee, a.is_grantable ORDER BY a.grantee, a.is_grantable) AS privileges,
       ARRAY(SELECT a.is_grantable
               FROM pg_catalog.aclexplode(d.datacl) a
              GROUP BY a.grantee, a.is_grantable ORDER BY a.grantee, a.is_grantable) AS options,
       ARRAY(SELECT coalesce(r.rolname::text, '')
               FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
              CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS c (setting, nth)
              WHERE s.setdatabase = d.oid ORDER BY s.setrole, c.nth) AS setting_roles,
       ARRAY(SELECT c.setting
               FROM pg_catalog.pg_db_role_setting s
              CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS c (setting, nth)
              WHERE s.setdatabase = d.oid ORDER BY s.setrole, c.nth) AS setting_texts
  FROM pg_catalog.pg_database d
 WHERE d.datname = $1
