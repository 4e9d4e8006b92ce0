-- Gives back what lock.sql took.
SELECT pg_advisory_unlock(1635086945, pg_namespace.oid::int4)
FROM pg_namespace
WHERE nspname = current_schema()
