-- tables of the schema of which the session's role sees no row, whatever they hold: row-level security binds it, and
-- no policy lets it; $1: the schema
SELECT c.relkind::text AS kind, c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner
FROM pg_catalog.pg_class c
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)
  AND c.relrowsecurity AND pg_catalog.row_security_active(c.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy p
                  CROSS JOIN LATERAL pg_catalog.unnest(p.polroles) AS granted(role)
                  WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd IN ('r', '*')
                    AND (granted.role = 0 OR pg_catalog.pg_has_role(current_user, granted.role, 'USAGE')))
ORDER BY 2
