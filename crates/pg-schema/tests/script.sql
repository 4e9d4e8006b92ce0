-- Everything that the app needs, for an administrator of the server to read and run:
--   psql -v ON_ERROR_STOP=1 -d postgres -f THIS-FILE
-- Running it again changes nothing.
\set ON_ERROR_STOP on

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

-- Extensions live in public.
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
ALTER DATABASE aura_db SET search_path = aura, public;

-- What lies in the schema is the app's to use, and what the administrator makes there later too.
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA aura TO aura_user;
GRANT ALL PRIVILEGES ON ALL SEQUENCES IN SCHEMA aura TO aura_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA aura GRANT ALL ON TABLES TO aura_user;
ALTER DEFAULT PRIVILEGES IN SCHEMA aura GRANT ALL ON SEQUENCES TO aura_user;

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
