-- a place among those that may be leased at once ($1 of them, $2 are ours already), and a clone that waits: each
-- under a lock that dies with this session; where none waits, the lock of a new one ($6). Only what is the
-- administrator's and carries the mark ($7, and the clone's key) is handed out
WITH place AS MATERIALIZED (
  SELECT p.nth FROM (SELECT g AS nth FROM pg_catalog.generate_series(1, $1) g WHERE g <> ALL ($2) OFFSET 0) p
   WHERE pg_catalog.pg_try_advisory_lock($4, p.nth) LIMIT 1),
ready AS MATERIALIZED (
  SELECT r.datname FROM (SELECT d.datname FROM pg_catalog.pg_database d
                          WHERE pg_catalog.starts_with(d.datname::text, $3) AND EXISTS (SELECT FROM place)
                            AND d.datdba = (SELECT u.oid FROM pg_catalog.pg_roles u WHERE u.rolname = current_user)
                            AND pg_catalog.shobj_description(d.oid, 'pg_database')
                                = $7 || pg_catalog.substring(d.datname::text, '_([0-9a-f]{8})_[0-9]+$')
                            AND d.oid NOT IN (SELECT a.datid FROM pg_catalog.pg_stat_get_activity(NULL) a
                                               WHERE a.datid IS NOT NULL AND a.usesysid IS NOT NULL)
                          ORDER BY pg_catalog.random() LIMIT 16) r
   WHERE pg_catalog.pg_try_advisory_lock($5, ('x' || substring(r.datname::text FROM '_([0-9a-f]{8})_[0-9]+$'))::bit(32)::int4)
   LIMIT 1)
SELECT (SELECT nth FROM place) AS place, (SELECT datname::text FROM ready) AS ready,
       CASE WHEN NOT EXISTS (SELECT FROM ready) AND EXISTS (SELECT FROM place)
            THEN pg_catalog.pg_try_advisory_lock($5, $6) END AS fresh
