-- event triggers whose functions find names by the search_path of whoever runs a statement
SELECT pg_catalog.quote_ident(t.evtname) AS trigger, p.oid::pg_catalog.regprocedure::text AS function
FROM pg_catalog.pg_event_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.evtfoid
WHERE t.evtenabled <> 'D'
  AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) c WHERE pg_catalog.starts_with(c, 'search_path='))
ORDER BY 1
