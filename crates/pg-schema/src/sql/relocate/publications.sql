-- publications of whole schemas (since version 15) and what may be done to them; $1: the schema
SELECT p.pubname::text AS name, pg_catalog.pg_has_role(current_user, p.pubowner, 'USAGE') AS is_own
FROM pg_catalog.pg_publication_namespace s
JOIN pg_catalog.pg_publication p ON p.oid = s.pnpubid
JOIN pg_catalog.pg_namespace n ON n.oid = s.pnnspid
WHERE n.nspname = $1
ORDER BY 1
