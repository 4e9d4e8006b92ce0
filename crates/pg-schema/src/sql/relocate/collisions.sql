-- names that two schemas both have, where a catalog allows a name only once; $1: the schema that is left, $2: the other one
WITH a AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
     b AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $2)
SELECT CASE x.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
            WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'type' END AS kind,
       x.relname::text AS name, x.tableoid AS class, x.oid, y.oid AS twin,
       x.relkind IN ('r', 'p') AND y.relkind IN ('r', 'p') AS are_tables,
       -- The table that takes it along on each side.
       coalesce((SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = x.oid),
                (SELECT d.refobjid FROM pg_catalog.pg_depend d WHERE d.classid = x.tableoid AND d.objid = x.oid
                   AND d.refclassid = x.tableoid AND d.deptype IN ('a', 'i') AND x.relkind = 'S' LIMIT 1), 0::oid) AS part_of,
       coalesce((SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = y.oid),
                (SELECT d.refobjid FROM pg_catalog.pg_depend d WHERE d.classid = y.tableoid AND d.objid = y.oid
                   AND d.refclassid = y.tableoid AND d.deptype IN ('a', 'i') AND y.relkind = 'S' LIMIT 1), 0::oid) AS twin_part_of
FROM pg_catalog.pg_class x
JOIN pg_catalog.pg_class y ON y.relname = x.relname AND y.relnamespace = (SELECT oid FROM b)
WHERE x.relnamespace = (SELECT oid FROM a)
UNION ALL
SELECT 'type', x.typname::text, x.tableoid, x.oid, y.oid, false,
       coalesce(nullif(x.typrelid, 0), (SELECT e.typrelid FROM pg_catalog.pg_type e WHERE e.typarray = x.oid), 0::oid),
       coalesce(nullif(y.typrelid, 0), (SELECT e.typrelid FROM pg_catalog.pg_type e WHERE e.typarray = y.oid), 0::oid)
FROM pg_catalog.pg_type x
JOIN pg_catalog.pg_type y ON y.typname = x.typname AND y.typnamespace = (SELECT oid FROM b)
WHERE x.typnamespace = (SELECT oid FROM a)
UNION ALL
SELECT 'routine', x.proname::text, x.tableoid, x.oid, y.oid, false, 0, 0
FROM pg_catalog.pg_proc x
JOIN pg_catalog.pg_proc y ON y.proname = x.proname AND y.proargtypes = x.proargtypes AND y.pronamespace = (SELECT oid FROM b)
WHERE x.pronamespace = (SELECT oid FROM a)
UNION ALL
SELECT 'operator', x.oprname::text, x.tableoid, x.oid, y.oid, false, 0, 0
FROM pg_catalog.pg_operator x
JOIN pg_catalog.pg_operator y ON y.oprname = x.oprname AND y.oprleft = x.oprleft AND y.oprright = x.oprright
                             AND y.oprnamespace = (SELECT oid FROM b)
WHERE x.oprnamespace = (SELECT oid FROM a)
UNION ALL
SELECT 'collation', x.collname::text, x.tableoid, x.oid, y.oid, false, 0, 0
FROM pg_catalog.pg_collation x
JOIN pg_catalog.pg_collation y ON y.collname = x.collname AND y.collnamespace = (SELECT oid FROM b)
WHERE x.collnamespace = (SELECT oid FROM a)
UNION ALL
SELECT 'statistics', x.stxname::text, x.tableoid, x.oid, y.oid, false, 0, 0
FROM pg_catalog.pg_statistic_ext x
JOIN pg_catalog.pg_statistic_ext y ON y.stxname = x.stxname AND y.stxnamespace = (SELECT oid FROM b)
WHERE x.stxnamespace = (SELECT oid FROM a)
ORDER BY 6 DESC, 2
