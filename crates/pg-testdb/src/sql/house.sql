-- the server, and what the administrator may
SELECT current_setting('server_version_num')::int4 AS version, current_setting('server_version') AS version_text,
       current_setting('max_connections')::int4 AS max_connections, current_setting('fsync') = 'on' AS is_durable, r.rolsuper AS is_superuser
  FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
