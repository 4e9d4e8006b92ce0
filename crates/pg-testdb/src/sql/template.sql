-- a template that is finished: sealed, with our remark
SELECT h.description AS remark
  FROM pg_catalog.pg_database d JOIN pg_catalog.pg_shdescription h ON h.objoid = d.oid
 WHERE d.datname = $1 AND NOT d.datallowconn AND h.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
