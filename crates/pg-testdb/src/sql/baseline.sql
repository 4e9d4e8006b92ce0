-- tables that may be emptied without anything else happening, where they hold no rows: nothing fires, hides, rewrites
-- or inherits, and the planner has no expression to evaluate; each with its TOAST table. And every sequence, and whether
-- the role may not read one. What the role may not read is no such table; $1: the role
WITH emptied AS (
  SELECT c.oid, c.reltoastrelid, n.nspname::text AS schema, c.relname::text AS name
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'r' AND c.relam = 2 AND c.relpersistence = 'p' AND c.oid >= 16384
     AND NOT c.relrowsecurity AND NOT c.relforcerowsecurity AND NOT c.relhasrules
     AND pg_catalog.has_table_privilege($1, c.oid, 'SELECT') AND pg_catalog.has_schema_privilege($1, n.oid, 'USAGE')
     AND NOT c.relispartition AND NOT c.relhassubclass
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i
                      WHERE i.indrelid = c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = c.oid AND s.stxexprs IS NOT NULL)
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)))
SELECT ARRAY(SELECT oid FROM emptied ORDER BY oid) AS tables,
       ARRAY(SELECT reltoastrelid FROM emptied ORDER BY oid) AS toasts,
       ARRAY(SELECT schema FROM emptied ORDER BY oid) AS schemas,
       ARRAY(SELECT name FROM emptied ORDER BY oid) AS names,
       ARRAY(SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relkind = 'S' ORDER BY c.oid) AS sequences,
       ARRAY(SELECT n.nspname::text
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind = 'S' ORDER BY c.oid) AS sequence_schemas,
       ARRAY(SELECT c.relname::text
               FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind = 'S' ORDER BY c.oid) AS sequence_names,
       EXISTS (SELECT FROM pg_catalog.pg_class c
                WHERE c.relkind = 'S'
                  AND NOT (pg_catalog.has_sequence_privilege($1, c.oid, 'SELECT')
                           AND pg_catalog.has_schema_privilege($1, c.relnamespace, 'USAGE'))) AS has_hidden_sequence
