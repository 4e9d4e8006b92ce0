-- Which of the names ($1) mean a relation on this connection, in which schema, and whether that is the current one.
SELECT name, nspname::text AS schema, nspname = current_schema() AS here
FROM unnest($1::text[]) AS name
JOIN pg_class ON pg_class.oid = to_regclass(quote_ident(name))
JOIN pg_namespace ON pg_namespace.oid = relnamespace
ORDER BY name
