-- relations of the schema on which a further role has less or more than it should; $1: the schema, $2: the app's role,
-- $3: the roles that write, one a line, $4: those that read
WITH app AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2),
     further AS (
         SELECT r.oid, r.rolname, w.is_write
         FROM (SELECT name, true AS is_write FROM pg_catalog.unnest(pg_catalog.string_to_array($3, E'\n')) AS name
               UNION ALL
               SELECT name, false FROM pg_catalog.unnest(pg_catalog.string_to_array($4, E'\n')) AS name) AS w
         JOIN pg_catalog.pg_roles r ON r.rolname = w.name AND NOT r.rolsuper
         WHERE NOT pg_catalog.pg_has_role(r.oid, (SELECT oid FROM app), 'MEMBER')
     )
SELECT f.rolname::text AS role, c.relkind::text AS kind, c.relname::text AS name,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       pg_catalog.pg_has_role((SELECT oid FROM app), c.relowner, 'USAGE') AS is_apps,
       found.lacking, found.excess
FROM pg_catalog.pg_class c
CROSS JOIN further f
CROSS JOIN LATERAL (
    SELECT pg_catalog.string_agg(p.privilege, ', ' ORDER BY p.place) FILTER (WHERE p.is_expected AND NOT held.is_held) AS lacking,
           pg_catalog.string_agg(p.privilege, ', ' ORDER BY p.place) FILTER (WHERE NOT p.is_allowed AND held.is_held) AS excess
    FROM (
        -- Of a materialized view only reading is asked for; what a table's default privileges add changes nothing.
        SELECT t.place, t.privilege, t.is_read OR f.is_write AND t.is_write AND c.relkind <> 'm' AS is_expected,
               t.is_read OR f.is_write AND t.is_write AS is_allowed
        FROM (VALUES (1, 'SELECT', true, true), (2, 'INSERT', false, true), (3, 'UPDATE', false, true),
                     (4, 'DELETE', false, true), (5, 'TRUNCATE', false, false), (6, 'REFERENCES', false, false),
                     (7, 'TRIGGER', false, false)) AS t(place, privilege, is_read, is_write)
        WHERE c.relkind <> 'S'
        UNION ALL
        SELECT s.place, s.privilege, s.is_read OR f.is_write AND s.is_write, s.is_read OR f.is_write AND s.is_write
        FROM (VALUES (1, 'SELECT', true, true), (2, 'USAGE', false, true), (3, 'UPDATE', false, false))
             AS s(place, privilege, is_read, is_write)
        WHERE c.relkind = 'S') AS p
    CROSS JOIN LATERAL (
        SELECT CASE WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(f.oid, c.oid, p.privilege)
                    ELSE pg_catalog.has_table_privilege(f.oid, c.oid, p.privilege) END AS is_held) AS held
) AS found
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND (found.lacking IS NOT NULL OR found.excess IS NOT NULL)
  -- An owner has everything; the check of owners names it.
  AND NOT pg_catalog.pg_has_role(f.oid, c.relowner, 'USAGE')
ORDER BY f.is_write DESC, f.rolname, c.relkind, c.relname
