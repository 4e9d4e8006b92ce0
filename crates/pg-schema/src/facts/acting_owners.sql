-- privileges that roles lack in whose name the server acts where the app uses its schema: the owners of the tables that
-- foreign keys read and change, of views, and of SECURITY DEFINER functions; $1: the schema, $2: the app's role
WITH RECURSIVE
     place AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1),
     app AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2),
     -- What a key's trigger runs: a query on the other table, as that table's owner.
     key AS MATERIALIZED (
         SELECT target.oid AS target, target.relnamespace AS target_place, target.relowner AS owner,
                o.conname AS detail, o.conpfeqop AS operators, p.proname AS trigger,
                CASE WHEN p.proname LIKE 'RI\_FKey\_check\_%' THEN o.confkey ELSE o.conkey END AS columns
         FROM pg_catalog.pg_class fired
         JOIN pg_catalog.pg_trigger t ON t.tgrelid = fired.oid AND t.tgconstraint <> 0 AND t.tgconstrrelid <> 0 AND t.tgenabled <> 'D'
         JOIN pg_catalog.pg_class target ON target.oid = t.tgconstrrelid
         JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid AND p.proname LIKE 'RI\_FKey\_%'
         JOIN pg_catalog.pg_constraint o ON o.oid = t.tgconstraint AND o.contype = 'f'
         WHERE fired.relnamespace = (SELECT oid FROM place)
           -- An owner without any access list has every privilege on the table.
           AND (target.relnamespace <> fired.relnamespace OR target.relacl IS NOT NULL
                OR target.relowner <> (SELECT oid FROM app))
     ),
     -- A view reads as its owner, and so does each view below it.
     view AS (
         SELECT c.oid, c.relkind, c.relowner, c.reloptions FROM pg_catalog.pg_class c
         WHERE c.relnamespace = (SELECT oid FROM place) AND c.relkind IN ('v', 'm')
         UNION
         SELECT c.oid, c.relkind, c.relowner, c.reloptions
         FROM view v
         JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid AND r.ev_type = '1'
         JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                                    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'n'
         JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind = 'v'
     ),
     read AS (
         SELECT v.oid AS view, target.oid AS target, d.refobjsubid::int2 AS attribute,
                -- Since version 15 one may run as its caller.
                CASE WHEN coalesce((SELECT pg_catalog.split_part(o, '=', 2)::bool FROM pg_catalog.unnest(v.reloptions) AS o
                                    WHERE o LIKE 'security\_invoker=%'), false)
                     THEN (SELECT oid FROM app) ELSE v.relowner END AS owner
         FROM view v
         JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid AND r.ev_type = '1'
         JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                                    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'n'
         JOIN pg_catalog.pg_class target ON target.oid = d.refobjid AND target.relkind IN ('r', 'p', 'v', 'm', 'f')
         WHERE target.oid <> v.oid
           -- Without a column it may be a constant of type regclass, which reads nothing.
           AND (d.refobjsubid <> 0
                OR pg_catalog.strpos(r.ev_action::text, pg_catalog.concat(':relid ', target.oid, ' ')) > 0)
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                           WHERE x.classid = 'pg_catalog.pg_class'::regclass AND x.objid = v.oid AND x.deptype = 'e')
     ),
     definer AS MATERIALIZED (
         SELECT p.oid, p.proowner, p.prosrc, p.proconfig, l.lanname,
                -- Since version 14 a body may be parsed.
                pg_catalog.to_jsonb(p) ->> 'prosqlbody' AS parsed
         FROM pg_catalog.pg_proc p
         JOIN pg_catalog.pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('internal', 'c')
         WHERE p.prosecdef
           AND (p.pronamespace = (SELECT oid FROM place)
                OR p.oid IN (SELECT t.tgfoid FROM pg_catalog.pg_trigger t
                             JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
                             WHERE c.relnamespace = (SELECT oid FROM place) AND NOT t.tgisinternal))
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                           WHERE x.classid = 'pg_catalog.pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'e')
     ),
     -- What the text names after a word that says what is done with it.
     mention AS (
         SELECT d.oid, d.proowner,
                coalesce(pg_catalog.replace(part[2], '""', '"'), pg_catalog.lower(part[3])) AS schema,
                coalesce(pg_catalog.replace(part[4], '""', '"'), pg_catalog.lower(part[5])) AS name,
                CASE WHEN part[1] ~* '^insert' THEN 'INSERT' WHEN part[1] ~* '^delete' THEN 'DELETE'
                     WHEN part[1] ~* '^update' THEN 'UPDATE' WHEN part[1] ~* '^truncate' THEN 'TRUNCATE'
                     ELSE 'SELECT' END AS privilege,
                coalesce((SELECT pg_catalog.substr(setting, pg_catalog.length('search_path=') + 1)
                          FROM pg_catalog.unnest(d.proconfig) AS setting WHERE setting LIKE 'search\_path=%'),
                         pg_catalog.concat(pg_catalog.quote_ident($1), ', public')) AS path
         FROM definer d
         CROSS JOIN LATERAL pg_catalog.regexp_matches(
             pg_catalog.regexp_replace(d.prosrc, '--[^\n]*|/\*([^*]|\*+[^*/])*\*+/', ' ', 'g'),
             '\m(insert\s+into|delete\s+from|update|truncate(?:\s+table)?|from|join)\s+(?:only\s+)?(?:(?:"((?:[^"]|"")+)"|([[:alpha:]_][[:alnum:]_$]*))\s*\.\s*)?(?:"((?:[^"]|"")+)"|([[:alpha:]_][[:alnum:]_$]*))',
             'gi') AS part
         WHERE d.parsed IS NULL
     ),
     named AS (
         SELECT m.oid, m.proowner, m.privilege, found.oid AS target, found.relnamespace AS target_place
         FROM mention m
         CROSS JOIN LATERAL (
             SELECT c.oid, c.relnamespace
             FROM pg_catalog.regexp_split_to_table(coalesce(pg_catalog.quote_ident(m.schema), m.path),
                                                   ',(?=(?:[^"]*"[^"]*")*[^"]*$)') WITH ORDINALITY AS parts(part, place)
             JOIN pg_catalog.pg_namespace n
               ON n.nspname = CASE WHEN pg_catalog.btrim(part) IN ('$user', '"$user"')
                                   THEN pg_catalog.pg_get_userbyid(m.proowner)
                                   WHEN pg_catalog.btrim(part) LIKE '"%"'
                                   THEN pg_catalog.replace(pg_catalog.btrim(pg_catalog.btrim(part), '"'), '""', '"')
                                   ELSE pg_catalog.lower(pg_catalog.btrim(part)) END
             JOIN pg_catalog.pg_class c
               ON c.relnamespace = n.oid AND c.relname = m.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
             ORDER BY parts.place LIMIT 1
         ) AS found
     ),
     -- What a parsed body asks of each relation, in the server's own words.
     asked AS (
         SELECT d.oid, d.proowner, part[1]::oid AS target, part[2]::int4 AS bits
         FROM definer d
         CROSS JOIN LATERAL pg_catalog.regexp_matches(d.parsed, ':relid (\d+) [^{}]*:requiredPerms (\d+)', 'g') AS part
     ),
     -- Who lacks what on which relation (or schema) for what.
     lacking AS (
         SELECT key.owner, 'pg_catalog.pg_class'::regclass AS actor_class, key.target AS actor, key.detail,
                'pg_catalog.pg_class'::regclass AS class, key.target AS object, p.privilege, p.rank
         FROM key
         CROSS JOIN (VALUES ('SELECT', 1), ('UPDATE', 2), ('DELETE', 3)) AS p(privilege, rank)
         WHERE CASE p.privilege
               WHEN 'SELECT' THEN EXISTS (SELECT FROM pg_catalog.unnest(key.columns) AS a
                                          WHERE NOT pg_catalog.has_column_privilege(key.owner, key.target, a, 'SELECT'))
               -- Rows are locked, which one column's privilege allows.
               WHEN 'UPDATE' THEN key.trigger <> 'RI_FKey_cascade_del'
                                  AND NOT pg_catalog.has_any_column_privilege(key.owner, key.target, 'UPDATE')
               ELSE key.trigger = 'RI_FKey_cascade_del'
                    AND NOT pg_catalog.has_table_privilege(key.owner, key.target, 'DELETE') END
         UNION ALL
         SELECT key.owner, 'pg_catalog.pg_class'::regclass, key.target, key.detail,
                'pg_catalog.pg_namespace'::regclass, needed.place, 'USAGE', 0
         FROM key
         CROSS JOIN LATERAL (
             SELECT key.target_place
             UNION
             SELECT o.oprnamespace FROM pg_catalog.pg_operator o WHERE o.oid = ANY (key.operators)
         ) AS needed(place)
         WHERE NOT pg_catalog.has_schema_privilege(key.owner, needed.place, 'USAGE')
         UNION ALL
         SELECT read.owner, 'pg_catalog.pg_class'::regclass, read.view, NULL,
                'pg_catalog.pg_class'::regclass, read.target, 'SELECT', 1
         FROM read
         WHERE NOT CASE read.attribute
                   WHEN 0 THEN pg_catalog.has_any_column_privilege(read.owner, read.target, 'SELECT')
                   ELSE coalesce(pg_catalog.has_column_privilege(read.owner, read.target, read.attribute, 'SELECT'), true) END
         UNION ALL
         SELECT named.proowner, 'pg_catalog.pg_proc'::regclass, named.oid, NULL,
                'pg_catalog.pg_namespace'::regclass, named.target_place, 'USAGE', 0
         FROM named WHERE NOT pg_catalog.has_schema_privilege(named.proowner, named.target_place, 'USAGE')
         UNION ALL
         SELECT named.proowner, 'pg_catalog.pg_proc'::regclass, named.oid, NULL,
                'pg_catalog.pg_class'::regclass, named.target, p.privilege, p.rank
         FROM named
         JOIN (VALUES ('SELECT', 1), ('INSERT', 2), ('UPDATE', 3), ('DELETE', 4), ('TRUNCATE', 5)) AS p(privilege, rank)
           -- What finds its rows by their columns reads them.
           ON p.privilege = named.privilege OR p.privilege = 'SELECT' AND named.privilege IN ('UPDATE', 'DELETE')
         WHERE NOT CASE WHEN p.privilege IN ('DELETE', 'TRUNCATE')
                        THEN pg_catalog.has_table_privilege(named.proowner, named.target, p.privilege)
                        ELSE pg_catalog.has_any_column_privilege(named.proowner, named.target, p.privilege) END
         UNION ALL
         SELECT asked.proowner, 'pg_catalog.pg_proc'::regclass, asked.oid, NULL,
                'pg_catalog.pg_class'::regclass, asked.target, p.privilege, p.rank
         FROM asked
         JOIN (VALUES ('SELECT', 1, 2), ('INSERT', 2, 1), ('UPDATE', 3, 4), ('DELETE', 4, 8)) AS p(privilege, rank, bit)
           ON asked.bits & p.bit <> 0
         WHERE NOT CASE p.privilege
                   WHEN 'DELETE' THEN pg_catalog.has_table_privilege(asked.proowner, asked.target, p.privilege)
                   ELSE pg_catalog.has_any_column_privilege(asked.proowner, asked.target, p.privilege) END
     ),
     found AS (
         SELECT owner, actor_class, actor, pg_catalog.min(detail::text) AS detail, class, object,
                pg_catalog.string_agg(DISTINCT privilege, ', ') AS privileges, pg_catalog.min(rank) AS rank
         FROM lacking
         GROUP BY owner, actor_class, actor, class, object
     )
SELECT pg_catalog.pg_get_userbyid(found.owner)::text AS role, found.privileges, found.detail AS key,
       -- Who may decide anyway what the app runs: the owner of what it uses.
       pg_catalog.pg_has_role((SELECT oid FROM app), found.owner, 'USAGE') AS is_trusted,
       coalesce(a.relkind::text, 'routine') AS kind, actor_place.nspname::text AS schema,
       coalesce(a.relname, f.proname)::text AS name, pg_catalog.pg_get_userbyid(coalesce(a.relowner, f.proowner))::text AS owner,
       -- Schema and name of each type.
       CASE WHEN f.oid IS NOT NULL THEN
           ARRAY(SELECT part.name
                 FROM pg_catalog.unnest(f.proargtypes) WITH ORDINALITY AS given(type, place)
                 JOIN pg_catalog.pg_type y ON y.oid = given.type
                 JOIN pg_catalog.pg_namespace n ON n.oid = y.typnamespace
                 CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[n.nspname::text, y.typname::text])
                                    WITH ORDINALITY AS part(name, place)
                 ORDER BY given.place, part.place) END AS arguments,
       t.relkind::text AS target_kind, n.nspname::text AS target_schema, t.relname::text AS target_name,
       -- Whether the app itself may grant it.
       pg_catalog.pg_has_role((SELECT oid FROM app), coalesce(t.relowner, n.nspowner), 'USAGE') AS is_apps
FROM found
LEFT JOIN pg_catalog.pg_class a ON found.actor_class = a.tableoid AND a.oid = found.actor
LEFT JOIN pg_catalog.pg_proc f ON found.actor_class = f.tableoid AND f.oid = found.actor
JOIN pg_catalog.pg_namespace actor_place ON actor_place.oid = coalesce(a.relnamespace, f.pronamespace)
LEFT JOIN pg_catalog.pg_class t ON found.class = t.tableoid AND t.oid = found.object
JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(t.relnamespace, found.object)
-- What the app lacks on its own schema and in it, other checks name.
WHERE NOT (found.owner = (SELECT oid FROM app) AND n.oid = (SELECT oid FROM place))
  -- Who may read the server's own catalogs is the server's affair.
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY found.rank, role, kind, 6, name, target_schema, target_name
