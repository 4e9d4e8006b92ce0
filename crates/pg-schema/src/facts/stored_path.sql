-- where a stored search_path leads the session's role, by setting it for this one statement, and
-- which schemas of a path do not exist; $1: the stored setting's value, $2: the session's path, $3: the database's own
WITH path AS MATERIALIZED (
    SELECT pg_catalog.set_config('search_path', $1, true) AS value
), entry AS (
    SELECT source, place, pg_catalog.btrim(part) AS part
    FROM (VALUES ('stored', $1), ('session', $2), ('database', $3)) AS paths(source, value)
    -- A comma within quotes separates nothing.
    CROSS JOIN LATERAL pg_catalog.regexp_split_to_table(value, ',(?=(?:[^"]*"[^"]*")*[^"]*$)')
        WITH ORDINALITY AS parts(part, place)
), named AS (
    SELECT source, place,
           CASE WHEN part LIKE '"%"'
                THEN pg_catalog.replace(pg_catalog.substr(part, 2, pg_catalog.length(part) - 2), '""', '"')
                ELSE pg_catalog.lower(part) END AS name
    FROM entry WHERE part NOT IN ('', '""', '$user', '"$user"')
), missing AS (
    SELECT * FROM named
    WHERE name NOT IN ('pg_temp', 'pg_catalog')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = named.name)
)
SELECT pg_catalog.current_schema()::text AS schema,
       ARRAY(SELECT name FROM missing WHERE source = 'stored' ORDER BY place) AS missing,
       ARRAY(SELECT name FROM missing WHERE source = 'session' ORDER BY place) AS missing_in_session,
       EXISTS (SELECT FROM missing WHERE source = 'database') AS is_missing_in_database
FROM path
