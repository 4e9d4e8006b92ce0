-- what is recorded of a schema and what is there, where the two are not the same; $1: the schema. Where another session has
-- locked a relation, neither is looked at
WITH locked AS MATERIALIZED (
         SELECT pg_catalog.min(c.relname::text) AS name
         FROM pg_catalog.pg_locks l
         JOIN pg_catalog.pg_class c ON c.oid = l.relation
         WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid()
           AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
           AND c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)
     ),
     found AS MATERIALIZED (
         SELECT name AS locked, CASE WHEN name IS NULL THEN (
present_lines) END AS lines, CASE WHEN name IS NULL THEN (
recorded_lines) END AS recorded
         FROM locked
     )
SELECT locked, lines, recorded FROM found WHERE locked IS NOT NULL OR lines <> recorded
