-- a database as it was made, beside template0, which comes last; $1: the database. What a version does not have is null
SELECT d.datname::text AS name, current_user::text AS administrator, pg_catalog.pg_get_userbyid(d.datdba)::text AS owner,
       pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding, t.spcname::text AS tablespace,
       d.datcollate::text AS collate, d.datctype::text AS ctype, j.row ->> 'datlocprovider' AS provider,
       coalesce(j.row ->> 'datlocale', j.row ->> 'daticulocale') AS locale, j.row ->> 'daticurules' AS rules,
       pg_catalog.shobj_description(d.oid, 'pg_database') AS comment
  FROM pg_catalog.pg_database d
  JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
 CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(d)) AS j (row)
 WHERE d.datname IN ($1, 'template0')
 ORDER BY d.datname = 'template0'
