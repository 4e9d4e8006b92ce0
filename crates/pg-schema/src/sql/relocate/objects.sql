-- every object of a schema that a schema can hold, with what decides whether it moves; $1: the schema, $2: the app's role,
-- $3: the administrator's role
WITH place AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
     app AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2),
     object AS (
         SELECT c.tableoid AS class, c.oid, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'
                    WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence'
                    ELSE 'other' END AS kind,
                c.relname AS name, c.relowner AS owner, NULL::oid[] AS types, NULL::name AS method,
                'pg_catalog.pg_class'::regclass AS parent_class,
                -- The table of a column's sequence, which takes it along; the parent of a partition.
                CASE c.relkind WHEN 'S' THEN (SELECT x.refobjid FROM pg_catalog.pg_depend x
                                              WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = c.oid
                                                AND x.refclassid = 'pg_catalog.pg_class'::regclass AND x.deptype IN ('a', 'i')
                                              LIMIT 1)
                               ELSE (SELECT i.inhparent FROM pg_catalog.pg_inherits i
                                     WHERE i.inhrelid = c.oid ORDER BY i.inhseqno LIMIT 1) END AS parent
         FROM pg_catalog.pg_class c
         WHERE c.relnamespace = (SELECT oid FROM place) AND c.relkind NOT IN ('i', 'I', 'c', 't')
         UNION ALL
         SELECT t.tableoid, t.oid, CASE WHEN NOT t.typisdefined THEN 'shell type' WHEN t.typtype = 'd' THEN 'domain' ELSE 'type' END,
                t.typname, t.typowner, NULL, NULL, 'pg_catalog.pg_type'::regclass,
                -- The range of a multirange.
                (SELECT x.refobjid FROM pg_catalog.pg_depend x
                 WHERE t.typtype = 'm' AND x.classid = 'pg_catalog.pg_type'::regclass AND x.objid = t.oid
                   AND x.refclassid = 'pg_catalog.pg_type'::regclass AND x.deptype = 'i' LIMIT 1)
         FROM pg_catalog.pg_type t
         LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
         WHERE t.typnamespace = (SELECT oid FROM place) AND (t.typrelid = 0 OR c.relkind = 'c')
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)
         UNION ALL
         SELECT p.tableoid, p.oid, 'routine', p.proname, p.proowner, p.proargtypes::oid[], NULL, 'pg_catalog.pg_type'::regclass,
                -- The range of a constructor.
                (SELECT x.refobjid FROM pg_catalog.pg_depend x
                 WHERE x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = p.oid
                   AND x.refclassid = 'pg_catalog.pg_type'::regclass AND x.deptype = 'i' LIMIT 1)
         FROM pg_catalog.pg_proc p WHERE p.pronamespace = (SELECT oid FROM place)
         UNION ALL
         SELECT o.tableoid, o.oid, 'operator', o.oprname, o.oprowner, ARRAY[o.oprleft, o.oprright], NULL, NULL, NULL
         FROM pg_catalog.pg_operator o WHERE o.oprnamespace = (SELECT oid FROM place)
         UNION ALL
         SELECT o.tableoid, o.oid, 'operator class', o.opcname, o.opcowner, NULL,
                (SELECT a.amname FROM pg_catalog.pg_am a WHERE a.oid = o.opcmethod), NULL, NULL
         FROM pg_catalog.pg_opclass o WHERE o.opcnamespace = (SELECT oid FROM place)
         UNION ALL
         SELECT o.tableoid, o.oid, 'operator family', o.opfname, o.opfowner, NULL,
                (SELECT a.amname FROM pg_catalog.pg_am a WHERE a.oid = o.opfmethod), NULL, NULL
         FROM pg_catalog.pg_opfamily o WHERE o.opfnamespace = (SELECT oid FROM place)
         UNION ALL
         SELECT c.tableoid, c.oid, 'collation', c.collname, c.collowner, NULL, NULL, NULL, NULL
         FROM pg_catalog.pg_collation c WHERE c.collnamespace = (SELECT oid FROM place)
         UNION ALL
         SELECT c.tableoid, c.oid, 'conversion', c.conname, c.conowner, NULL, NULL, NULL, NULL
         FROM pg_catalog.pg_conversion c WHERE c.connamespace = (SELECT oid FROM place)
         UNION ALL
         SELECT s.tableoid, s.oid, 'statistics', s.stxname, s.stxowner, NULL, NULL, 'pg_catalog.pg_class'::regclass, s.stxrelid
         FROM pg_catalog.pg_statistic_ext s WHERE s.stxnamespace = (SELECT oid FROM place)
         UNION ALL
         SELECT c.tableoid, c.oid, 'text search configuration', c.cfgname, c.cfgowner, NULL, NULL, NULL, NULL
         FROM pg_catalog.pg_ts_config c WHERE c.cfgnamespace = (SELECT oid FROM place)
         UNION ALL
         SELECT d.tableoid, d.oid, 'text search dictionary', d.dictname, d.dictowner, NULL, NULL, NULL, NULL
         FROM pg_catalog.pg_ts_dict d WHERE d.dictnamespace = (SELECT oid FROM place)
         -- Parsers and templates have no owner: they are a superuser's.
         UNION ALL
         SELECT p.tableoid, p.oid, 'text search parser', p.prsname, 10, NULL, NULL, NULL, NULL
         FROM pg_catalog.pg_ts_parser p WHERE p.prsnamespace = (SELECT oid FROM place)
         UNION ALL
         SELECT t.tableoid, t.oid, 'text search template', t.tmplname, 10, NULL, NULL, NULL, NULL
         FROM pg_catalog.pg_ts_template t WHERE t.tmplnamespace = (SELECT oid FROM place)
     )
SELECT o.class, o.oid, o.kind, o.name::text AS name, pg_catalog.pg_get_userbyid(o.owner)::text AS owner, o.method::text AS method,
       o.parent_class::oid AS parent_class, o.parent, x.extname::text AS extension,
       -- Column's sequences follow their table.
       o.kind = 'sequence' AND o.parent IS NOT NULL AS follows,
       pg_catalog.pg_has_role(current_user, o.owner, 'USAGE') AS is_movable,
       coalesce(r.rolsuper OR r.rolname = $2 OR r.rolname = $3, false)
           OR coalesce(pg_catalog.pg_has_role((SELECT oid FROM app), o.owner, 'USAGE'), false) AS is_apps,
       -- Of each operand: schema, name, and the class and oid of the object that takes the type along.
       CASE WHEN o.types IS NOT NULL THEN ARRAY(
           SELECT part.text
           FROM pg_catalog.unnest(o.types) WITH ORDINALITY AS given(type, place)
           LEFT JOIN pg_catalog.pg_type t ON t.oid = given.type
           LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
           LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
           LEFT JOIN pg_catalog.pg_class c ON c.oid = coalesce(e.typrelid, t.typrelid) AND c.relkind <> 'c'
           CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[coalesce(n.nspname::text, ''), coalesce(t.typname::text, ''),
               coalesce(c.tableoid, t.tableoid, 0)::text, coalesce(c.oid, e.oid, t.oid, 0)::text]) WITH ORDINALITY AS part(text, place)
           ORDER BY given.place, part.place) END AS operands
FROM object o
LEFT JOIN pg_catalog.pg_roles r ON r.oid = o.owner
LEFT JOIN pg_catalog.pg_depend d ON d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension x ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND x.oid = d.refobjid
ORDER BY o.kind, o.name, o.oid
