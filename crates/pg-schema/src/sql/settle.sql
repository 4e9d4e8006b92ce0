-- settings of our own sessions: catalog queries that look expensive are not compiled, and no time-out that is meant for
-- the app's queries ends one of ours; the fifth exists since version 14, the sixth since 17, the seventh since 13.16,
-- 14.13, 15.8, 16.4 and 17. An administrator's session ($1) expands no view and reads no foreign table of people's, even
-- where one has taken the place of a table
SELECT pg_catalog.set_config('lock_timeout', '10s', false), pg_catalog.set_config('jit', 'off', false),
       pg_catalog.set_config('statement_timeout', '0', false),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false),
       CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 140000
            THEN pg_catalog.set_config('idle_session_timeout', '0', false) END,
       CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 170000
            THEN pg_catalog.set_config('transaction_timeout', '0', false) END,
       CASE WHEN $1 OPERATOR(pg_catalog.=) 'administrator'
                 AND pg_catalog.current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL
            THEN pg_catalog.set_config('restrict_nonsystem_relation_kind', 'view, foreign-table', false) END
