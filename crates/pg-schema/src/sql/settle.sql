-- settings of our own sessions; the first exists since version 14
SELECT CASE WHEN current_setting('server_version_num')::int4 >= 140000
            THEN pg_catalog.set_config('idle_session_timeout', '0', false) END,
       pg_catalog.set_config('lock_timeout', '10s', false)
