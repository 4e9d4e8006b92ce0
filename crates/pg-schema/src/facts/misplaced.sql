-- objects outside the schema that are ours or lie in `public`; members of extensions are left out, but for the app's own
-- objects in an extension of its own. So is what lies in a schema that an extension has made: Timescale's chunks. Each comes with its namesake in the schema, and with how its rows are to be
-- counted: one by one ('rows'), by whether it has any block ('size'), or not at all (null). No table is touched here:
-- somebody may hold a lock on it; $1: the schema, $2: the role
WITH app AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2),
     superuser AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper),
     own AS (
         SELECT oid FROM pg_catalog.pg_roles
         WHERE NOT rolsuper AND pg_catalog.pg_has_role((SELECT oid FROM app), oid, 'USAGE')
     ),
     -- An extension's owner may add any object of theirs to it: that hides nothing of the app's.
     member AS (
         SELECT x.classid, x.objid, e.extname, e.extowner IN (SELECT oid FROM own) AS is_own
         FROM pg_catalog.pg_depend x
         JOIN pg_catalog.pg_extension e ON e.oid = x.refobjid
         WHERE x.deptype = 'e' AND x.refclassid = 'pg_catalog.pg_extension'::regclass
     ),
     place AS (
         SELECT oid, pg_catalog.has_schema_privilege(oid, 'USAGE') AS usage
         FROM pg_catalog.pg_namespace WHERE nspname = $1
     ),
     elsewhere AS (
         SELECT oid, nspname::text AS name, nspname = 'public' AS is_public,
                pg_catalog.has_schema_privilege(oid, 'USAGE') AS usage
         FROM pg_catalog.pg_namespace
         WHERE nspname NOT IN ($1, 'pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp|toast_temp)(_|$)'
           AND (nspname = 'public' OR oid NOT IN (SELECT objid FROM member
                                                  WHERE classid = 'pg_catalog.pg_namespace'::regclass AND NOT is_own))
     )
SELECT c.oid, twin.oid AS twin_oid, c.relkind::text AS kind, e.name AS schema, c.relname::text AS name, NULL::text[] AS arguments,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, c.relowner IN (SELECT oid FROM superuser) AS is_superusers,
       twin.relkind::text AS twin_kind, pg_catalog.pg_get_userbyid(twin.relowner)::text AS twin_owner,
       -- A count under row level security says nothing of the rows that one may not see; a table without
       -- any block has none, whoever asks.
       CASE WHEN twin.oid IS NULL OR c.relkind NOT IN ('r', 'p') THEN NULL
            WHEN e.usage AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
                 AND NOT pg_catalog.row_security_active(c.oid) THEN 'rows'
            WHEN c.relkind = 'r' AND NOT c.relhassubclass THEN 'size' END AS counts,
       CASE WHEN twin.oid IS NULL OR twin.relkind NOT IN ('r', 'p') THEN NULL
            WHEN (SELECT usage FROM place) AND pg_catalog.has_table_privilege(twin.oid, 'SELECT')
                 AND NOT pg_catalog.row_security_active(twin.oid) THEN 'rows'
            WHEN twin.relkind = 'r' AND NOT twin.relhassubclass THEN 'size' END AS twin_counts,
       m.extname::text AS extension
FROM pg_catalog.pg_class c
JOIN elsewhere e ON e.oid = c.relnamespace
LEFT JOIN member m ON m.classid = c.tableoid AND m.objid = c.oid
LEFT JOIN pg_catalog.pg_class twin
       ON twin.relnamespace = (SELECT oid FROM place) AND twin.relname = c.relname
      AND twin.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND (e.is_public OR c.relowner = (SELECT oid FROM app))
  AND (m.objid IS NULL OR m.is_own AND c.relowner IN (SELECT oid FROM own))
  AND (c.relkind <> 'S'
       OR NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                      WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = c.oid
                        AND x.deptype IN ('a', 'i') AND x.refclassid = 'pg_catalog.pg_class'::regclass))
UNION ALL
SELECT NULL, NULL, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, e.name, t.typname::text, NULL,
       pg_catalog.pg_get_userbyid(t.typowner)::text, t.typowner IN (SELECT oid FROM superuser),
       CASE WHEN twin.typtype = 'd' THEN 'domain' WHEN twin.oid IS NOT NULL THEN 'type' END,
       pg_catalog.pg_get_userbyid(twin.typowner)::text, NULL, NULL, m.extname::text
FROM pg_catalog.pg_type t
JOIN elsewhere e ON e.oid = t.typnamespace
LEFT JOIN member m ON m.classid = t.tableoid AND m.objid = t.oid
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_catalog.pg_type twin ON twin.typnamespace = (SELECT oid FROM place) AND twin.typname = t.typname
WHERE (t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c')
  AND (e.is_public OR t.typowner = (SELECT oid FROM app))
  AND (m.objid IS NULL OR m.is_own AND t.typowner IN (SELECT oid FROM own))
UNION ALL
SELECT NULL, NULL, 'routine', e.name, p.proname::text,
       -- Schema and name of each type.
       ARRAY(SELECT part.name
             FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS given(type, place)
             JOIN pg_catalog.pg_type a ON a.oid = given.type
             JOIN pg_catalog.pg_namespace n ON n.oid = a.typnamespace
             CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[n.nspname::text, a.typname::text])
                                WITH ORDINALITY AS part(name, place)
             ORDER BY given.place, part.place),
       pg_catalog.pg_get_userbyid(p.proowner)::text, p.proowner IN (SELECT oid FROM superuser),
       CASE WHEN twin.oid IS NOT NULL THEN 'routine' END, pg_catalog.pg_get_userbyid(twin.proowner)::text, NULL, NULL,
       m.extname::text
FROM pg_catalog.pg_proc p
JOIN elsewhere e ON e.oid = p.pronamespace
LEFT JOIN member m ON m.classid = p.tableoid AND m.objid = p.oid
LEFT JOIN pg_catalog.pg_proc twin
       ON twin.pronamespace = (SELECT oid FROM place) AND twin.proname = p.proname AND twin.proargtypes = p.proargtypes
WHERE (e.is_public OR p.proowner = (SELECT oid FROM app))
  AND (m.objid IS NULL OR m.is_own AND p.proowner IN (SELECT oid FROM own))
  -- A range's constructors come and go with it.
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'i')
ORDER BY 4, 3, 5
