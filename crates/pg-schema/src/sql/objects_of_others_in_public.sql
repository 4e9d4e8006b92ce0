-- routines and operators in public that an extension's script could meet in place of the server's own: those that are
-- not a superuser's, nor the session's own. Whoever owns an extension may make anything of theirs a member of it
SELECT x.what
FROM (SELECT 'function ' || pg_catalog.format('%I.%I', n.nspname, p.proname) || '('
             || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS what,
             p.proowner AS owner, n.nspname AS schema
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      UNION ALL
      SELECT 'operator ' || pg_catalog.format('%I.%s', n.nspname, o.oprname), o.oprowner, n.nspname
      FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace) x
JOIN pg_catalog.pg_roles r ON r.oid = x.owner
WHERE x.schema = 'public' AND NOT r.rolsuper AND r.rolname <> current_user
ORDER BY 1
