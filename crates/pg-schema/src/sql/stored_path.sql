-- where a stored search_path leads the session's role, by setting it for this one statement, and
-- which of its schemas do not exist; $1: the setting's value
WITH path AS MATERIALIZED (
    SELECT pg_catalog.set_config('search_path', $1, true) AS value
), entry AS (
    SELECT pg_catalog.btrim(part) AS part, place
    FROM pg_catalog.regexp_split_to_table($1, ',(?=(?:[^"]*"[^"]*")*[^"]*$)') WITH ORDINALITY AS parts(part, place)
), named AS (
    SELECT place, CASE WHEN part LIKE '"%"'
                       THEN pg_catalog.replace(pg_catalog.substr(part, 2, pg_catalog.length(part) - 2), '""', '"')
                       ELSE pg_catalog.lower(part) END AS name
    FROM entry WHERE part NOT IN ('', '$user', '"$user"')
)
SELECT pg_catalog.current_schema()::text AS schema,
       coalesce((SELECT pg_catalog.array_agg(name ORDER BY place) FROM named
                 WHERE name NOT IN ('pg_temp', 'pg_catalog')
                   AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = named.name)), '{}') AS missing
FROM path
