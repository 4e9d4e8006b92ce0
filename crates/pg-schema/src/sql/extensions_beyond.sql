-- extensions that are wanted, not installed yet, and beyond a role's rights or the server's stock; only a
-- superuser may install one that is not trusted, and who may create in the database the others;
-- $1: the extensions, one a line, $2: the role, $3: the database, which may be missing yet and then
-- becomes the role's own
WITH RECURSIVE wanted(name) AS (
    SELECT pg_catalog.unnest(pg_catalog.string_to_array($1, E'\n')) COLLATE "C"
    UNION
    SELECT needed::text COLLATE "C"
    FROM wanted
    JOIN pg_catalog.pg_available_extension_versions v ON v.name = wanted.name
    CROSS JOIN LATERAL pg_catalog.unnest(v.requires) AS needed
)
SELECT wanted.name, stock.name IS NOT NULL AS is_in_stock
FROM wanted
JOIN pg_catalog.pg_roles r ON r.rolname = $2
LEFT JOIN pg_catalog.pg_database d ON d.datname = $3
LEFT JOIN (SELECT v.name, pg_catalog.bool_or(v.trusted) AS trusted
           FROM pg_catalog.pg_available_extension_versions v GROUP BY v.name) stock ON stock.name = wanted.name
WHERE NOT (pg_catalog.current_database() = $3
           AND EXISTS (SELECT FROM pg_catalog.pg_extension x WHERE x.extname = wanted.name))
  AND (stock.name IS NULL
       OR NOT (r.rolsuper OR stock.trusted
                             AND coalesce(pg_catalog.has_database_privilege(r.oid, d.oid, 'CREATE'), true)))
ORDER BY 1
