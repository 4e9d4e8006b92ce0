-- What pg_dumpall --globals-only prints, and the settings of databases. In one session: pg_dumpall takes 100 ms.
SELECT pg_catalog.string_agg(line, E'\n' ORDER BY line)
FROM (
    SELECT pg_catalog.concat_ws(' ', 'role', pg_catalog.to_jsonb(r) - 'oid', pg_catalog.shobj_description(oid, 'pg_authid')) AS line
    FROM pg_catalog.pg_authid r
    UNION ALL
    SELECT pg_catalog.concat_ws(' ', 'member', roleid::regrole, member::regrole, grantor::regrole,
                                pg_catalog.to_jsonb(m) - '{oid,roleid,member,grantor}'::text[])
    FROM pg_catalog.pg_auth_members m
    UNION ALL
    -- The order in which they were set means nothing.
    SELECT pg_catalog.concat_ws(' ', 'settings', setrole::regrole, datname,
                                (SELECT pg_catalog.array_agg(setting ORDER BY setting) FROM pg_catalog.unnest(setconfig) setting))
    FROM pg_catalog.pg_db_role_setting LEFT JOIN pg_catalog.pg_database d ON d.oid = setdatabase
    UNION ALL
    SELECT pg_catalog.concat_ws(' ', 'tablespace', pg_catalog.to_jsonb(t) - 'oid')
    FROM pg_catalog.pg_tablespace t
) globals
