-- which objects of the schema that a role does not own are used by something that stays another role's, and by what:
-- whoever owns a function, view, type or partition decides what runs where it is used; $1: the schema, $2: the role
WITH RECURSIVE place AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
     app AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2),
     candidate AS MATERIALIZED (
       SELECT c.tableoid AS class, c.oid, c.relkind::text AS kind FROM pg_catalog.pg_class c
       WHERE c.relnamespace = (SELECT oid FROM place) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
         AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), c.relowner, 'USAGE')
       UNION ALL
       SELECT t.tableoid, t.oid, 'type' FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
       WHERE t.typnamespace = (SELECT oid FROM place) AND (t.typtype IN ('d', 'e', 'r', 'm') OR c.relkind = 'c')
         AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), t.typowner, 'USAGE')
       UNION ALL
       SELECT p.tableoid, p.oid, CASE WHEN p.prosecdef THEN 'definer' ELSE 'routine' END FROM pg_catalog.pg_proc p
       WHERE p.pronamespace = (SELECT oid FROM place)
         AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), p.proowner, 'USAGE')),
     -- What the catalog calls otherwise: a table's row type, a type's array, a composite type's relation.
     alias AS MATERIALIZED (
       SELECT k.class AS as_class, k.oid AS as_oid, k.* FROM candidate k
       UNION ALL
       SELECT t.tableoid, t.oid, k.* FROM candidate k
       JOIN pg_catalog.pg_class c ON k.class = c.tableoid AND k.oid = c.oid AND c.reltype <> 0
       JOIN pg_catalog.pg_type t ON t.oid = c.reltype OR t.typelem = c.reltype
       UNION ALL
       SELECT t.tableoid, t.typarray, k.* FROM candidate k
       JOIN pg_catalog.pg_type t ON k.class = t.tableoid AND k.oid = t.oid AND t.typarray <> 0
       UNION ALL
       SELECT 'pg_catalog.pg_class'::regclass, t.typrelid, k.* FROM candidate k
       JOIN pg_catalog.pg_type t ON k.class = t.tableoid AND k.oid = t.oid AND t.typrelid <> 0),
     -- Who uses what. A part of a table, a view or a domain stands for the whole.
     use AS MATERIALIZED (
       SELECT a.class, a.oid, d.classid, d.objid, d.objsubid,
              CASE WHEN whole.relation <> 0 THEN 'pg_catalog.pg_class'::regclass
                   WHEN whole.type <> 0 THEN 'pg_catalog.pg_type'::regclass ELSE d.classid END AS by_class,
              CASE WHEN whole.relation <> 0 THEN whole.relation
                   WHEN whole.type <> 0 THEN whole.type ELSE d.objid END AS by_oid
       FROM alias a
       JOIN pg_catalog.pg_depend d ON d.refclassid = a.as_class AND d.refobjid = a.as_oid AND d.deptype IN ('n', 'a')
       LEFT JOIN pg_catalog.pg_constraint con ON d.classid = 'pg_catalog.pg_constraint'::regclass AND con.oid = d.objid
       LEFT JOIN pg_catalog.pg_type typ ON d.classid = 'pg_catalog.pg_type'::regclass AND typ.oid = d.objid
       CROSS JOIN LATERAL (
         SELECT CASE d.classid
                  WHEN 'pg_catalog.pg_class'::regclass
                    THEN (SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = d.objid)
                  WHEN 'pg_catalog.pg_trigger'::regclass
                    THEN (SELECT t.tgrelid FROM pg_catalog.pg_trigger t WHERE t.oid = d.objid)
                  WHEN 'pg_catalog.pg_rewrite'::regclass
                    THEN (SELECT r.ev_class FROM pg_catalog.pg_rewrite r WHERE r.oid = d.objid)
                  WHEN 'pg_catalog.pg_attrdef'::regclass
                    THEN (SELECT f.adrelid FROM pg_catalog.pg_attrdef f WHERE f.oid = d.objid)
                  WHEN 'pg_catalog.pg_constraint'::regclass THEN con.conrelid
                  WHEN 'pg_catalog.pg_policy'::regclass
                    THEN (SELECT l.polrelid FROM pg_catalog.pg_policy l WHERE l.oid = d.objid)
                  WHEN 'pg_catalog.pg_statistic_ext'::regclass
                    THEN (SELECT s.stxrelid FROM pg_catalog.pg_statistic_ext s WHERE s.oid = d.objid)
                  WHEN 'pg_catalog.pg_type'::regclass
                    THEN (SELECT c.oid FROM pg_catalog.pg_class c WHERE c.oid = typ.typrelid AND c.relkind <> 'c')
                END AS relation,
                coalesce(con.contypid, CASE WHEN typ.typcategory = 'A' THEN typ.typelem END) AS type) whole
       -- A foreign key reads the table as its owner; a view that reads a table runs nothing of its owner's.
       WHERE con.contype IS DISTINCT FROM 'f'
         AND NOT (d.classid = 'pg_catalog.pg_rewrite'::regclass AND a.kind IN ('r', 'p', 'S'))
       UNION ALL
       -- A row of the parent fires the triggers of its partition.
       SELECT k.class, k.oid, k.class, i.inhparent, 0, k.class, i.inhparent
       FROM candidate k JOIN pg_catalog.pg_inherits i ON k.class = 'pg_catalog.pg_class'::regclass AND i.inhrelid = k.oid),
     used AS (
       SELECT u.class, u.oid, pg_catalog.pg_describe_object(u.classid, u.objid, u.objsubid) AS by
       FROM use u
       WHERE (u.by_class, u.by_oid) IS DISTINCT FROM (u.class, u.oid)
         -- What will be the role's. A routine that runs with its owner's rights stays.
         AND NOT EXISTS (SELECT FROM candidate k
                         WHERE (k.class, k.oid) = (u.by_class, u.by_oid) AND k.kind <> 'definer'
                           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                                           WHERE e.classid = k.class AND e.objid = k.oid AND e.deptype = 'e'))
         -- A range's constructors and its multirange come and go with it.
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend i
                         WHERE i.classid = u.by_class AND i.objid = u.by_oid AND i.deptype = 'i'
                           AND u.by_class IN ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_type'::regclass))
         -- What the role owns is its own affair.
         AND NOT coalesce(pg_catalog.pg_has_role((SELECT oid FROM app), CASE u.by_class
               WHEN 'pg_catalog.pg_class'::regclass
                 THEN (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = u.by_oid)
               WHEN 'pg_catalog.pg_type'::regclass
                 THEN (SELECT t.typowner FROM pg_catalog.pg_type t WHERE t.oid = u.by_oid)
               WHEN 'pg_catalog.pg_proc'::regclass
                 THEN (SELECT p.proowner FROM pg_catalog.pg_proc p WHERE p.oid = u.by_oid)
               WHEN 'pg_catalog.pg_operator'::regclass
                 THEN (SELECT o.oprowner FROM pg_catalog.pg_operator o WHERE o.oid = u.by_oid) END, 'USAGE'), false)
       UNION
       -- What stays uses what stays.
       SELECT u.class, u.oid, used.by FROM used JOIN use u ON (u.by_class, u.by_oid) = (used.class, used.oid))
SELECT used.class, used.oid AS object, pg_catalog.min(used.by) AS used_by FROM used GROUP BY 1, 2
