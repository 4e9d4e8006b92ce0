-- what keeps a database from being replaced, or would be lost with it: what, its name, and since when or how; $1: the
-- database
SELECT 'prepared transaction' AS what, p.gid AS name,
       pg_catalog.format('of role %s, since %s', p.owner, pg_catalog.to_char(p.prepared, 'YYYY-MM-DD HH24:MI:SS')) AS detail
  FROM pg_catalog.pg_prepared_xacts p WHERE p.database = $1
UNION ALL
SELECT 'replication slot', s.slot_name::text, CASE WHEN s.active THEN 'in use' ELSE 'not in use at the moment' END
  FROM pg_catalog.pg_replication_slots s WHERE s.database = $1
UNION ALL
SELECT 'subscription', s.subname::text, CASE WHEN s.subenabled THEN 'enabled' ELSE 'disabled' END
  FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = $1
UNION ALL
SELECT 'template', d.datname::text, 'the server drops no template'
  FROM pg_catalog.pg_database d WHERE d.datname = $1 AND d.datistemplate
UNION ALL
SELECT 'owner', pg_catalog.pg_get_userbyid(d.datdba)::text, current_user::text
  FROM pg_catalog.pg_database d
 WHERE d.datname = $1
   AND NOT (pg_catalog.pg_has_role(current_user, d.datdba, 'USAGE')
            AND pg_catalog.pg_has_role(current_user, d.datdba,
                                       CASE WHEN pg_catalog.current_setting('server_version_num')::int4 >= 160000
                                            THEN 'SET' ELSE 'MEMBER' END))
ORDER BY 1, 2
