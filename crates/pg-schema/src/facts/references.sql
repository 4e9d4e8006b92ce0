-- what keeps tables from being dropped: each table, and the relation without which it cannot go (a foreign key's
-- table, a view, a child, a parent), or 0 for anything else; $1: the tables' oids, by commas
WITH RECURSIVE dropped AS (
    SELECT given::oid AS root, 'pg_catalog.pg_class'::regclass::oid AS class, given::oid AS object
    FROM pg_catalog.unnest(pg_catalog.string_to_array($1, ',')) AS given
    UNION
    -- What goes with it: its indexes, constraints, row type, sequences, partitions.
    SELECT d.root, x.classid, x.objid
    FROM dropped d
    JOIN pg_catalog.pg_depend x ON x.refclassid = d.class AND x.refobjid = d.object
    WHERE x.deptype IN ('a', 'i', 'P', 'S')
)
SELECT d.root AS table, coalesce(CASE x.classid
           WHEN 'pg_catalog.pg_class'::regclass THEN x.objid
           WHEN 'pg_catalog.pg_constraint'::regclass
               THEN (SELECT o.conrelid FROM pg_catalog.pg_constraint o WHERE o.oid = x.objid)
           WHEN 'pg_catalog.pg_attrdef'::regclass
               THEN (SELECT o.adrelid FROM pg_catalog.pg_attrdef o WHERE o.oid = x.objid)
           WHEN 'pg_catalog.pg_rewrite'::regclass
               THEN (SELECT o.ev_class FROM pg_catalog.pg_rewrite o WHERE o.oid = x.objid) END, 0) AS referrer
FROM dropped d
JOIN pg_catalog.pg_depend x ON x.refclassid = d.class AND x.refobjid = d.object
WHERE x.deptype = 'n'
  AND NOT EXISTS (SELECT FROM dropped o WHERE o.root = d.root AND o.class = x.classid AND o.object = x.objid)
UNION
SELECT i.inhrelid, i.inhparent
FROM pg_catalog.pg_inherits i
WHERE i.inhrelid IN (SELECT root FROM dropped)
UNION
SELECT x.objid, 0
FROM pg_catalog.pg_depend x
WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid IN (SELECT root FROM dropped) AND x.deptype = 'e'
