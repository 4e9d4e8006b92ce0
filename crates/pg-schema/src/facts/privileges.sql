-- relations of the schema on which a role lacks a privilege; $1: the schema, $2: the role
SELECT c.relkind::text AS kind, c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       missing.privileges
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles r ON r.rolname = $2
CROSS JOIN LATERAL (
    SELECT pg_catalog.string_agg(p, ', ') AS privileges
    FROM pg_catalog.unnest(CASE WHEN c.relkind = 'S' THEN '{USAGE,SELECT,UPDATE}'::text[]
                     WHEN c.relkind IN ('v', 'm') THEN '{SELECT}'::text[]
                     WHEN c.relkind = 'f' THEN '{SELECT,INSERT,UPDATE,DELETE}'::text[]
                     ELSE '{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[] END) AS p
    WHERE NOT CASE WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(r.oid, c.oid, p)
                   ELSE pg_catalog.has_table_privilege(r.oid, c.oid, p) END
) missing
WHERE n.nspname = $1
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  -- An owner without any access list has every privilege: the common case costs nothing.
  AND NOT (c.relowner = r.oid AND c.relacl IS NULL)
  AND missing.privileges IS NOT NULL
ORDER BY c.relkind, c.relname
