-- settings of our own sessions: catalog queries that look expensive are not compiled, no time-out that is meant for the
-- app's queries ends one of ours, and no lock is waited for without end, that of a catalog neither: so the first are set
-- by statements that look nothing up
SET lock_timeout = '10s'; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET jit = off;
-- the first exists since version 14, the second since 17, the third since 13.16, 14.13, 15.8, 16.4 and 17. An
-- administrator's session expands no view and reads no foreign table of people's, even where one has taken the place of a
-- table
SELECT CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 140000
            THEN pg_catalog.set_config('idle_session_timeout', '0', false) END,
       CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 170000
            THEN pg_catalog.set_config('transaction_timeout', '0', false) END,
       CASE WHEN 'whose' OPERATOR(pg_catalog.=) 'administrator'
                 AND pg_catalog.current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL
            THEN pg_catalog.set_config('restrict_nonsystem_relation_kind', 'view, foreign-table', false) END
