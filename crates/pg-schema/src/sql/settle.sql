-- settings of our own sessions: catalog queries that look expensive are not compiled; the last exists since version 14
SELECT pg_catalog.set_config('lock_timeout', '10s', false), pg_catalog.set_config('jit', 'off', false),
       CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 140000
            THEN pg_catalog.set_config('idle_session_timeout', '0', false) END
