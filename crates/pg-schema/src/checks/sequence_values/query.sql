-- sequences of the schema that feed a column of a table with rows, and whether the largest value can be had:
-- 'read', 'hidden' (no right to see every row), 'slow' (no index leads to it), 'locked'; $1: the schema
WITH place AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
     -- Even a table's size is told only once such a lock is gone.
     locked AS MATERIALIZED (
         SELECT l.relation FROM pg_catalog.pg_locks l
         WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
           AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
     )
SELECT s.relname::text AS sequence, n.nspname::text AS table_schema, t.relname::text AS table, a.attname::text AS column,
       pg_catalog.pg_get_userbyid(s.relowner)::text AS owner, q.seqincrement AS increment,
       -- How far its values may go: by its own bounds, and by the column's type.
       greatest(q.seqmin, CASE a.atttypid WHEN 'int2'::regtype THEN -32768 WHEN 'int4'::regtype THEN -2147483648
                          ELSE q.seqmin END) AS lowest,
       least(q.seqmax, CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                       ELSE q.seqmax END) AS highest,
       CASE WHEN t.oid IN (SELECT relation FROM locked) THEN 'locked'
            WHEN NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_schema_privilege(s.relnamespace, 'USAGE')
                      AND pg_catalog.has_column_privilege(t.oid, a.attnum, 'SELECT')
                      AND pg_catalog.has_sequence_privilege(s.oid, 'SELECT'))
                 OR pg_catalog.row_security_active(t.oid) THEN 'hidden'
            WHEN t.relkind = 'r' AND pg_catalog.pg_relation_size(t.oid) < 8388608
                 OR EXISTS (SELECT FROM pg_catalog.pg_index i
                            WHERE i.indrelid = t.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum
                              AND pg_catalog.pg_index_column_has_property(i.indexrelid, 1, 'orderable'))
            THEN 'read' ELSE 'slow' END AS how
FROM pg_catalog.pg_class s
JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
                           AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0
JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE s.relkind = 'S' AND s.relnamespace = (SELECT oid FROM place)
  -- One that begins anew is meant to meet its old values.
  AND NOT q.seqcycle AND t.relkind IN ('r', 'p') AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
  AND CASE WHEN t.relkind = 'p' OR t.oid IN (SELECT relation FROM locked) THEN true
           ELSE pg_catalog.pg_relation_size(t.oid) > 0 END
ORDER BY 1
