-- a database's oid, and how many rows were written in it, whatever the table, since its statistics were set to nothing
SELECT d.oid, pg_catalog.pg_stat_get_db_tuples_inserted(d.oid) + pg_catalog.pg_stat_get_db_tuples_updated(d.oid)
       + pg_catalog.pg_stat_get_db_tuples_deleted(d.oid)
  FROM pg_catalog.pg_database d WHERE d.datname = $1
