-- The right to migrate the current schema, for this session: true, or false where another session has it.
-- 1635086945 is 'aura' in ASCII: advisory locks have no names, and others use them too.
SELECT pg_try_advisory_lock(1635086945, pg_namespace.oid::int4)
FROM pg_namespace
WHERE nspname = current_schema()
