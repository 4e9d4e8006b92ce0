-- a template that is finished: sealed, the administrator's, with a remark
SELECT h.description AS remark
  FROM pg_catalog.pg_database d JOIN pg_catalog.pg_shdescription h ON h.objoid = d.oid
 WHERE d.datname = $1 AND NOT d.datallowconn
   AND d.datdba = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
   AND h.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
