-- Everything that the app needs, for an administrator of the server to read and run:
--   psql -v ON_ERROR_STOP=1 -d postgres -f THIS-FILE
-- Running it again changes nothing.
\set ON_ERROR_STOP on
SET search_path = pg_catalog, pg_temp;

-- The app's role. What stands for its password is a verifier, from which it cannot be read.
SELECT 'CREATE ROLE aura_user LOGIN PASSWORD ''SCRAM-SHA-256$4096:…'''
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'aura_user') \gexec
SELECT 'ALTER ROLE aura_user LOGIN'
WHERE NOT (SELECT rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = 'aura_user') \gexec

-- The app's database, and the right to make a schema in it.
SELECT 'CREATE DATABASE aura_db ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'aura_db') \gexec
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE aura_db TO aura_user;
\connect -reuse-previous=on aura_db
SET search_path = pg_catalog, pg_temp;

-- public is left to extensions, unless something else lies there.
SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace n
    WHERE n.nspname = 'public'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c
                      WHERE c.relnamespace = n.oid
                        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                                        WHERE x.classid = 'pg_catalog.pg_class'::regclass
                                          AND x.objid = c.oid AND x.deptype = 'e'))
) AS public_is_free \gset
\if :public_is_free
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
-- Since version 15 the owner of a database may create there too.
SELECT 'REVOKE CREATE ON SCHEMA public FROM pg_database_owner'
WHERE EXISTS (SELECT FROM pg_catalog.pg_roles
    WHERE rolname = 'pg_database_owner' AND pg_catalog.pg_has_role('aura_user', oid, 'USAGE')) \gexec
\endif

-- Extensions live in public. Their scripts must not run what other roles have put there.
DO $guard$ BEGIN
  IF EXISTS (SELECT FROM pg_catalog.unnest(ARRAY['pg_trgm', 'uuid-ossp']) AS wanted(name)
             WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = wanted.name))
  AND EXISTS (
    SELECT x.what
    FROM (SELECT 'function ' || pg_catalog.format('%I.%I', n.nspname, p.proname) || '('
                 || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS what,
                 p.proowner AS owner, n.nspname AS schema
          FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
          UNION ALL
          SELECT 'operator ' || pg_catalog.format('%I.%s', n.nspname, o.oprname), o.oprowner, n.nspname
          FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace) x
    JOIN pg_catalog.pg_roles r ON r.oid = x.owner
    WHERE x.schema = 'public' AND NOT r.rolsuper AND r.rolname <> current_user) THEN
    RAISE EXCEPTION 'public holds functions or operators of other roles: drop them, or move them to another schema';
  END IF;
END $guard$;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public CASCADE;
CREATE EXTENSION IF NOT EXISTS "uuid-ossp" SCHEMA public CASCADE;

-- The app's schema. To make it for another role one must be a member of that role.
SELECT 'GRANT aura_user TO CURRENT_USER'
WHERE NOT pg_catalog.pg_has_role('aura_user',
    CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) \gexec
SELECT 'CREATE SCHEMA aura AUTHORIZATION aura_user'
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'aura') \gexec
GRANT USAGE, CREATE ON SCHEMA aura TO aura_user;

-- Where the app's unqualified names lead: first its own schema, then the extensions.
ALTER ROLE aura_user IN DATABASE aura_db SET search_path = aura, public;
SELECT 'ALTER DATABASE aura_db SET search_path = aura, public'
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting AS s, pg_catalog.unnest(s.setconfig) AS setting
              WHERE s.setrole = 0 AND s.setdatabase = (SELECT oid FROM pg_catalog.pg_database
                                                       WHERE datname = pg_catalog.current_database())
                AND setting LIKE 'search\_path=%'
                AND NOT EXISTS (SELECT FROM pg_catalog.regexp_split_to_table(
                                    pg_catalog.substr(setting, 13), ',(?=(?:[^"]*"[^"]*")*[^"]*$)') AS part,
                                    pg_catalog.btrim(part, ' "') AS name
                                WHERE name = 'aura' OR name NOT IN ('', '$user', 'pg_catalog', 'pg_temp')
                                      AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = name))) \gexec

-- What lies in the schema is the app's to use, and what the administrator makes there later too.
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA aura TO aura_user;
GRANT ALL PRIVILEGES ON ALL SEQUENCES IN SCHEMA aura TO aura_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA aura GRANT ALL ON TABLES TO aura_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA aura GRANT ALL ON SEQUENCES TO aura_user;
