-- all that belongs to the database aura_db but its contents: its row, its privileges, its settings, its comment
SELECT pg_catalog.concat_ws(E'\n',
       (SELECT pg_catalog.string_agg(f.key || ' ' || f.value, E'\n' ORDER BY f.key)
          FROM pg_catalog.jsonb_each_text(pg_catalog.to_jsonb(d)) f
         WHERE f.key NOT IN ('oid', 'datdba', 'datlastsysoid', 'datfrozenxid', 'datminmxid', 'datacl')),
       'owner ' || pg_catalog.pg_get_userbyid(d.datdba),
       (SELECT pg_catalog.string_agg('privilege ' || a::text, E'\n' ORDER BY a::text)
          FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a),
       (SELECT pg_catalog.string_agg(pg_catalog.format('setting %s %s', s.setrole, c.c), E'\n' ORDER BY s.setrole, c.c)
          FROM pg_catalog.pg_db_role_setting s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c
         WHERE s.setdatabase = d.oid),
       'comment ' || pg_catalog.shobj_description(d.oid, 'pg_database'))
  FROM pg_catalog.pg_database d WHERE d.datname = 'aura_db'
