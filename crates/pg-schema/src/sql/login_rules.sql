-- the lines of pg_hba.conf that cannot be read, and those that may be for a role and a database; $1: the role, $2: the
-- database
SELECT h.line_number, h.error,
       pg_catalog.concat_ws(' ', h.type, pg_catalog.array_to_string(h.database, ','),
                            pg_catalog.array_to_string(h.user_name, ','), h.address, h.netmask, h.auth_method) AS rule
FROM pg_catalog.pg_hba_file_rules h
WHERE h.error IS NOT NULL
   OR EXISTS (SELECT FROM pg_catalog.unnest(h.database) AS said(name)
              WHERE said.name IN ('all', $2) OR said.name = 'sameuser' AND $1 = $2
                 OR said.name IN ('samerole', 'samegroup')
                    AND EXISTS (SELECT FROM pg_catalog.pg_roles g
                                WHERE g.rolname = $2 AND pg_catalog.pg_has_role($1, g.oid, 'MEMBER')))
      AND EXISTS (SELECT FROM pg_catalog.unnest(h.user_name) AS said(name)
                  WHERE said.name IN ('all', $1)
                     OR said.name LIKE '+%'
                        AND EXISTS (SELECT FROM pg_catalog.pg_roles g
                                    WHERE g.rolname = pg_catalog.substr(said.name, 2)
                                      AND pg_catalog.pg_has_role($1, g.oid, 'MEMBER')))
ORDER BY h.error IS NULL, h.line_number
