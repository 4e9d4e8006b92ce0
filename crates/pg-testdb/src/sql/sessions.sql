-- who is in a database: people, everything with the server's own, prepared transactions
SELECT pg_catalog.count(*) FILTER (WHERE a.usesysid IS NOT NULL), pg_catalog.count(*),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xact() p JOIN pg_catalog.pg_database d ON d.oid = p.dbid
         WHERE d.datname = $1)
  FROM pg_catalog.pg_database d JOIN pg_catalog.pg_stat_get_activity(NULL) a ON a.datid = d.oid WHERE d.datname = $1
