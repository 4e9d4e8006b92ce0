-- what may keep a role from logging in, as far as an administrator sees it; $1: the role
SELECT r.rolvaliduntil < pg_catalog.now() AS has_expired,
       pg_catalog.to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') AS valid_until,
       pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS sees_passwords,
       pg_catalog.has_table_privilege('pg_catalog.pg_hba_file_rules', 'SELECT')
           AND pg_catalog.has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE') AS sees_rules
FROM pg_catalog.pg_roles r
WHERE r.rolname = $1
