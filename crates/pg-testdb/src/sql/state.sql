-- what the statistics of a database's own relations do not show, as one digest
SELECT pg_catalog.md5(pg_catalog.concat_ws('|',
         coalesce(extract(epoch FROM pg_catalog.pg_stat_get_db_stat_reset_time(d.oid))::text, '-'),
         d.datdba, d.encoding, d.datcollate, d.datctype, d.datistemplate, d.datallowconn, d.datconnlimit, d.dattablespace,
         coalesce(d.datacl::text, '-'),
         coalesce((SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', s.setdatabase, s.setrole, s.setconfig::text), ',' ORDER BY s.setdatabase, s.setrole)
                     FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase IN (0, d.oid)), '-'),
         coalesce((SELECT h.description FROM pg_catalog.pg_shdescription h
                    WHERE h.objoid = d.oid AND h.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass), '-'),
         coalesce((SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', l.provider, l.label), ',' ORDER BY l.provider)
                     FROM pg_catalog.pg_shseclabel l WHERE l.objoid = d.oid), '-'),
         coalesce((SELECT a::text FROM pg_catalog.pg_authid a WHERE a.rolname = $2), '-'),
         coalesce((SELECT pg_catalog.string_agg(m::text, ',' ORDER BY m::text)
                     FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_authid a ON a.oid IN (m.roleid, m.member)
                    WHERE a.rolname = $2), '-'),
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts p WHERE p.database = d.datname)))
  FROM pg_catalog.pg_database d WHERE d.datname = $1
