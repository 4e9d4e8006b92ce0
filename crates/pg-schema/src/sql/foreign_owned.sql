-- objects of the schema that a role does not own, extension members, owned sequences and the
-- constructors of ranges left out; of a routine, what uses it that would stay another role's: whoever owns the routine
-- decides what that runs;
-- $1: the schema, $2: the role
WITH RECURSIVE place AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
     app AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2),
     used AS (
       SELECT p.oid, pg_catalog.pg_describe_object(u.classid, u.objid, u.objsubid) AS by
       FROM pg_catalog.pg_proc p
       JOIN pg_catalog.pg_depend u ON u.refclassid = 'pg_catalog.pg_proc'::regclass AND u.refobjid = p.oid
       -- The relation that it is a part of.
       LEFT JOIN LATERAL (
         SELECT CASE u.classid
                  WHEN 'pg_catalog.pg_class'::regclass THEN u.objid
                  WHEN 'pg_catalog.pg_trigger'::regclass
                    THEN (SELECT t.tgrelid FROM pg_catalog.pg_trigger t WHERE t.oid = u.objid)
                  WHEN 'pg_catalog.pg_rewrite'::regclass
                    THEN (SELECT r.ev_class FROM pg_catalog.pg_rewrite r WHERE r.oid = u.objid)
                  WHEN 'pg_catalog.pg_attrdef'::regclass
                    THEN (SELECT a.adrelid FROM pg_catalog.pg_attrdef a WHERE a.oid = u.objid)
                  WHEN 'pg_catalog.pg_constraint'::regclass
                    THEN (SELECT c.conrelid FROM pg_catalog.pg_constraint c WHERE c.oid = u.objid)
                  WHEN 'pg_catalog.pg_policy'::regclass
                    THEN (SELECT l.polrelid FROM pg_catalog.pg_policy l WHERE l.oid = u.objid)
                  WHEN 'pg_catalog.pg_statistic_ext'::regclass
                    THEN (SELECT s.stxrelid FROM pg_catalog.pg_statistic_ext s WHERE s.oid = u.objid)
                END AS oid) part ON true
       WHERE p.pronamespace = (SELECT oid FROM place)
         AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), p.proowner, 'USAGE')
         -- What lies in the schema is, or will be, the role's.
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c
                         WHERE c.oid = part.oid AND c.relnamespace = (SELECT oid FROM place))
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t
                         WHERE t.typnamespace = (SELECT oid FROM place)
                           AND (u.classid = 'pg_catalog.pg_type'::regclass AND t.oid = u.objid
                                OR u.classid = 'pg_catalog.pg_constraint'::regclass
                                   AND t.oid = (SELECT c.contypid FROM pg_catalog.pg_constraint c WHERE c.oid = u.objid)))
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc o
                         WHERE u.classid = 'pg_catalog.pg_proc'::regclass AND o.oid = u.objid
                           AND o.pronamespace = (SELECT oid FROM place) AND NOT o.prosecdef)
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator o
                         WHERE u.classid = 'pg_catalog.pg_operator'::regclass AND o.oid = u.objid
                           AND pg_catalog.pg_has_role((SELECT oid FROM app), o.oprowner, 'USAGE'))
       UNION
       -- What stays calls what stays.
       SELECT d.refobjid, used.by
       FROM used
       JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = used.oid
                                  AND d.refclassid = 'pg_catalog.pg_proc'::regclass)
SELECT c.relkind::text AS kind, c.relname::text AS name, NULL::text AS arguments,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, false AS is_definers,
       NULL::text AS used_by
FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT oid FROM place)
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), c.relowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = c.oid
                    AND (x.deptype = 'e' OR c.relkind = 'S' AND x.deptype IN ('a', 'i')
                                            AND x.refclassid = 'pg_catalog.pg_class'::regclass))
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, t.typname::text, NULL,
       pg_catalog.pg_get_userbyid(t.typowner)::text, false, NULL
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE t.typnamespace = (SELECT oid FROM place)
  AND (t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c')
  AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), t.typowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e')
UNION ALL
SELECT 'routine', p.proname::text,
       -- Types are named so that any path finds them.
       (SELECT coalesce(pg_catalog.string_agg(
                            CASE WHEN a.typnamespace = 'pg_catalog'::regnamespace THEN pg_catalog.format_type(a.oid, NULL)
                                 ELSE pg_catalog.format('%I.%I', n.nspname, a.typname) END, ', ' ORDER BY given.place), '')
        FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS given(type, place)
        JOIN pg_catalog.pg_type a ON a.oid = given.type
        JOIN pg_catalog.pg_namespace n ON n.oid = a.typnamespace),
       pg_catalog.pg_get_userbyid(p.proowner)::text, p.prosecdef,
       (SELECT pg_catalog.min(used.by) FROM used WHERE used.oid = p.oid)
FROM pg_catalog.pg_proc p
WHERE p.pronamespace = (SELECT oid FROM place)
  AND NOT pg_catalog.pg_has_role((SELECT oid FROM app), p.proowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = p.oid AND x.deptype IN ('e', 'i'))
ORDER BY 1, 2
