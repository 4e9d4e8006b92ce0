-- whether everything that the role does is counted: it is not superuser, cannot become one, can neither switch the
-- counting off nor write to the server's files, and counting is on
SELECT current_setting('track_counts') = 'on'
       AND (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
       AND NOT pg_catalog.has_parameter_privilege($1, 'track_counts', 'SET')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r
                        WHERE (r.rolsuper OR r.rolreplication
                               OR r.rolname IN ('pg_write_server_files', 'pg_execute_server_program', 'pg_create_subscription')
                               OR pg_catalog.has_parameter_privilege(r.rolname::text, 'track_counts', 'SET'))
                          AND pg_catalog.pg_has_role($1, r.oid, 'MEMBER'))
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) c WHERE c LIKE 'track\_counts=%')
