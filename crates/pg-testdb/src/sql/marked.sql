-- whether a database is the administrator's, how many may connect to it, and the comment on it
SELECT d.datdba = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS is_owned, d.datconnlimit,
       pg_catalog.shobj_description(d.oid, 'pg_database') AS remark
  FROM pg_catalog.pg_database d WHERE d.datname = $1
