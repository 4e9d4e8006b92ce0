-- Where this session's unqualified CREATE TABLE would go, who says so, and what would mend it.
-- Settings are read at login: those of the role that logged in count, whatever SET ROLE says.
SELECT
    current_schema()::text AS schema,
    current_database()::text AS database,
    current_setting('search_path') AS search_path,
    format('ALTER ROLE %I IN DATABASE %I SET search_path = <schema>, public;', session_user, current_database()) AS fix
