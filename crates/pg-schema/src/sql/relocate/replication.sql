-- who outside this database may know a schema's tables by their names; $1: the schema
SELECT 'publication' AS what, p.pubname::text AS name,
       CASE WHEN p.puballtables THEN 'of all tables' ELSE 'of tables of the schema' END AS detail
FROM pg_catalog.pg_publication p
WHERE p.puballtables
   OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel r
              JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
              JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE r.prpubid = p.oid AND n.nspname = $1)
UNION ALL
SELECT 'subscription', 'number ' || r.srsubid::text, 'into tables of the schema'
FROM pg_catalog.pg_subscription_rel r
JOIN pg_catalog.pg_class c ON c.oid = r.srrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1
GROUP BY r.srsubid
UNION ALL
SELECT 'replication slot', s.slot_name::text, 'decodes this database'
FROM pg_catalog.pg_replication_slots s
WHERE s.database = pg_catalog.current_database()
ORDER BY 1, 2
