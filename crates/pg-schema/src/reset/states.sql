-- the app's database, and the one that a reset has put aside; $1, $2: their names
SELECT d.datname = $1 AS is_apps, d.datconnlimit, pg_catalog.shobj_description(d.oid, 'pg_database') AS comment
  FROM pg_catalog.pg_database d WHERE d.datname IN ($1, $2)
