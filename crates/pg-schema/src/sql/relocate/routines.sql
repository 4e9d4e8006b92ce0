-- routines whose text or whose own search_path may lead to a schema by its name; $1: the schema
SELECT p.oid, n.nspname::text AS schema, p.proname::text AS name, l.lanname::text AS language, p.prosrc AS body,
       pg_catalog.pg_get_userbyid(p.proowner)::text AS owner, p.prokind <> 'a' AS can_be_replaced,
       p.proowner IN (SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper) AS is_superusers,
       (SELECT pg_catalog.substr(setting, pg_catalog.length('search_path=') + 1)
        FROM pg_catalog.unnest(p.proconfig) AS setting WHERE setting LIKE 'search\_path=%') AS path,
       -- Schema and name of each type, and the object that takes it along.
       ARRAY(SELECT part.text
             FROM pg_catalog.unnest(p.proargtypes::oid[]) WITH ORDINALITY AS given(type, place)
             JOIN pg_catalog.pg_type t ON t.oid = given.type
             JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace
             LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
             LEFT JOIN pg_catalog.pg_class c ON c.oid = coalesce(e.typrelid, t.typrelid) AND c.relkind <> 'c'
             CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[s.nspname::text, t.typname::text, coalesce(c.tableoid, t.tableoid)::text,
                 coalesce(c.oid, e.oid, t.oid)::text]) WITH ORDINALITY AS part(text, place)
             ORDER BY given.place, part.place) AS operands
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp|toast_temp)(_|$)'
  AND l.lanname NOT IN ('internal', 'c')
  AND (pg_catalog.strpos(pg_catalog.lower(p.prosrc), pg_catalog.lower($1)) > 0 OR p.proconfig IS NOT NULL)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                  WHERE x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'e')
ORDER BY n.nspname, p.proname, p.oid
