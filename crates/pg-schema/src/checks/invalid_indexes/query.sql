-- indexes of the schema that no query uses, and constraints that rows of before may break; $1: the schema
WITH place AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)
SELECT CASE WHEN c.relkind = 'I' THEN 'partitioned index'
            -- What REINDEX CONCURRENTLY leaves behind when it fails: the manual's page on REINDEX.
            WHEN c.relname ~ '_cc(new|old)[0-9]*$' THEN 'leftover index'
            ELSE 'index' END AS what,
       c.relname::text AS name, t.relname::text AS of, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
       -- CREATE INDEX CONCURRENTLY, at work: it holds this lock throughout.
       EXISTS (SELECT FROM pg_catalog.pg_locks l
               WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
                 AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      ) AS is_being_built
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
WHERE c.relnamespace = (SELECT oid FROM place) AND NOT (i.indisvalid AND i.indisready AND i.indislive)
UNION ALL
SELECT CASE WHEN o.contypid <> 0 THEN 'domain constraint' ELSE 'constraint' END,
       o.conname::text, coalesce(t.relname, d.typname)::text,
       pg_catalog.pg_get_userbyid(coalesce(t.relowner, d.typowner))::text, false
FROM pg_catalog.pg_constraint o
LEFT JOIN pg_catalog.pg_class t ON t.oid = o.conrelid
LEFT JOIN pg_catalog.pg_type d ON d.oid = o.contypid
WHERE o.connamespace = (SELECT oid FROM place) AND NOT o.convalidated AND o.conparentid = 0
  -- Since version 18 a constraint may be one that is not enforced, and then it is not meant to hold.
  AND coalesce((pg_catalog.to_jsonb(o) ->> 'conenforced')::bool, true)
ORDER BY 1, 3, 2
