-- everything in this database that was written to since the statistics were set to nothing
SELECT c.oid, c.oid::pg_catalog.regclass::text AS name
  FROM pg_catalog.pg_class c
 WHERE c.relkind IN ('r', 't', 'm') AND NOT c.relisshared
   AND pg_catalog.pg_stat_get_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_tuples_updated(c.oid)
       + pg_catalog.pg_stat_get_tuples_deleted(c.oid) <> 0
 ORDER BY c.oid
