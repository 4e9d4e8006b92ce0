-- what was written to since the statistics were set to nothing: tables of $1, which may be emptied; anything else is
-- a doubt. Left out: catalogs that the whole server shares, and the planner's statistics.
WITH written AS (
  SELECT DISTINCT coalesce(t.oid, c.oid) AS relation
    FROM pg_catalog.pg_class c
    LEFT JOIN pg_catalog.pg_class t ON c.relkind = 't' AND t.reltoastrelid = c.oid
   WHERE c.relkind IN ('r', 't', 'm') AND NOT c.relisshared AND c.oid NOT IN (2619, 2840, 3429, 3430)
     AND (pg_catalog.pg_stat_get_tuples_inserted(c.oid) <> 0 OR pg_catalog.pg_stat_get_tuples_updated(c.oid) <> 0
          OR pg_catalog.pg_stat_get_tuples_deleted(c.oid) <> 0))
SELECT (SELECT pg_catalog.string_agg(w.relation::pg_catalog.regclass::text, ', ') FROM written w
         WHERE w.relation <> ALL (pg_catalog.string_to_array($1, ',')::oid[])) AS doubt,
       ARRAY(SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
               FROM written w JOIN pg_catalog.pg_class c ON c.oid = w.relation
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace) AS tables,
       coalesce((SELECT pg_catalog.sum(pg_catalog.pg_table_size(w.relation)) FROM written w), 0)::int8 AS bytes
