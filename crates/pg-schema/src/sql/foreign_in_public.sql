-- routines and operators in public that an extension's script could meet in place of the server's own: those that are
-- neither an extension's nor a superuser's, nor the session's own
SELECT x.what
FROM (SELECT 'function ' || pg_catalog.format('%I.%I', n.nspname, p.proname) || '('
             || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS what,
             p.proowner AS owner, p.tableoid AS class, p.oid AS object, n.nspname AS schema
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      UNION ALL
      SELECT 'operator ' || pg_catalog.format('%I.%s', n.nspname, o.oprname), o.oprowner, o.tableoid, o.oid, n.nspname
      FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace) x
JOIN pg_catalog.pg_roles r ON r.oid = x.owner
WHERE x.schema = 'public' AND NOT r.rolsuper AND r.rolname <> current_user
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = x.class AND d.objid = x.object AND d.deptype = 'e')
ORDER BY 1
