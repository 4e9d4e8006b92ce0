-- what there is to look at in the schema and outside; $1: the schema, $2: the role. Each flag says yes rather once too
-- often: planning the longer queries is what costs most where they find nothing
WITH named AS MATERIALIZED (
         SELECT (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) AS schema,
                (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'public') AS public,
                (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $2) AS role
     ),
     object AS (
         SELECT c.tableoid AS class, c.oid, c.relnamespace AS place, c.relowner AS owner, c.relkind::text AS kind,
                c.relacl IS NOT NULL AS has_grants, c.relrowsecurity AS has_row_security
         FROM pg_catalog.pg_class c, named
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
           AND (c.relnamespace IN (named.schema, named.public) OR c.relowner = named.role)
         UNION ALL
         -- Those of tables are among them, and say no more than their tables.
         SELECT t.tableoid, t.oid, t.typnamespace, t.typowner, 'type', false, false
         FROM pg_catalog.pg_type t, named
         WHERE t.typtype IN ('c', 'd', 'e', 'r')
           AND (t.typnamespace IN (named.schema, named.public) OR t.typowner = named.role)
         UNION ALL
         SELECT t.tableoid, t.oid, t.dictnamespace, t.dictowner, 'dictionary', false, false
         FROM pg_catalog.pg_ts_dict t, named WHERE t.dictnamespace = named.schema
         UNION ALL
         SELECT t.tableoid, t.oid, t.cfgnamespace, t.cfgowner, 'configuration', false, false
         FROM pg_catalog.pg_ts_config t, named WHERE t.cfgnamespace = named.schema
         UNION ALL
         SELECT s.tableoid, s.oid, s.stxnamespace, s.stxowner, 'statistics', false, false
         FROM pg_catalog.pg_statistic_ext s, named WHERE s.stxnamespace = named.schema
         UNION ALL
         SELECT p.tableoid, p.oid, p.pronamespace, p.proowner, CASE WHEN p.prosecdef THEN 'definer' ELSE 'routine' END, false, false
         FROM pg_catalog.pg_proc p, named
         WHERE p.pronamespace IN (named.schema, named.public) OR p.proowner = named.role
     )
SELECT count(*) FILTER (WHERE place = schema AND kind IN ('r', 'p')) AS tables,
       count(*) FILTER (WHERE place = schema AND kind = 'S') AS sequences,
       count(*) FILTER (WHERE place = schema AND kind IN ('routine', 'definer')) AS routines,
       coalesce(pg_catalog.bool_or(place = schema AND owner <> role), false)
           -- A child of a table of the schema, elsewhere.
           OR EXISTS (SELECT FROM pg_catalog.pg_inherits i
                      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
                      JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
                      WHERE p.relnamespace = (SELECT schema FROM named) AND c.relnamespace <> p.relnamespace) AS has_other_owners,
       coalesce(pg_catalog.bool_or(place = schema AND has_grants), false) AS has_grants,
       coalesce(pg_catalog.bool_or(place = schema AND (owner <> role OR has_grants OR kind IN ('v', 'm', 'definer'))), false)
           -- A foreign key that leads out, a function that runs with its owner's rights.
           OR EXISTS (SELECT FROM pg_catalog.pg_constraint o
                      JOIN pg_catalog.pg_class c ON c.oid = o.confrelid
                      WHERE o.contype = 'f' AND o.connamespace = (SELECT schema FROM named) AND c.relnamespace <> o.connamespace)
           OR EXISTS (SELECT FROM pg_catalog.pg_trigger t
                      JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
                      WHERE NOT t.tgisinternal AND p.prosecdef) AS has_acting_owners,
       coalesce(pg_catalog.bool_or(place = schema AND has_row_security), false) AS has_row_security,
       coalesce(pg_catalog.bool_or(
           place IS DISTINCT FROM schema
           AND place NOT IN (SELECT oid FROM pg_catalog.pg_namespace
                             WHERE nspname IN ('pg_catalog', 'information_schema') OR nspname ~ '^pg_(toast|temp|toast_temp)(_|$)')
           -- What a superuser's extension has made is the server's affair.
           AND NOT (owner IN (SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper)
                    AND EXISTS (SELECT FROM pg_catalog.pg_depend x
                                WHERE x.classid = object.class AND x.objid = object.oid AND x.deptype = 'e'))
       ), false) AS has_elsewhere,
       EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql') AS has_extensions,
       EXISTS (SELECT FROM pg_catalog.pg_index WHERE NOT (indisvalid AND indisready AND indislive))
           OR EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE NOT convalidated) AS has_unfinished,
       -- A collation whose version is written down: the library's may be another one.
       EXISTS (SELECT FROM pg_catalog.pg_database d
               WHERE d.datname = pg_catalog.current_database() AND pg_catalog.to_jsonb(d) ->> 'datcollversion' IS NOT NULL)
           OR EXISTS (SELECT FROM pg_catalog.pg_index i
                      CROSS JOIN LATERAL pg_catalog.unnest(i.indcollation) AS of_column(collation_oid)
                      JOIN pg_catalog.pg_collation o ON o.oid = of_column.collation_oid
                      WHERE o.collversion IS NOT NULL) AS has_versioned_collation
FROM object, named
