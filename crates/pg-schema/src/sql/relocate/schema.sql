-- a schema: its owner, its privileges in their order, its comment, and what hangs on it beside objects; $1: the schema
SELECT n.oid, pg_catalog.pg_get_userbyid(n.nspowner)::text AS owner, n.nspacl IS NOT NULL AS has_acl,
       pg_catalog.obj_description(n.oid, 'pg_namespace') AS comment,
       -- Of each privilege: grantor, grantee (none is PUBLIC), name, whether it may be passed on.
       ARRAY(SELECT part.text
             FROM pg_catalog.aclexplode(n.nspacl) WITH ORDINALITY AS a(grantor, grantee, privilege, is_grantable, place)
             CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[pg_catalog.pg_get_userbyid(a.grantor)::text,
                 CASE WHEN a.grantee = 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END, a.privilege,
                 a.is_grantable::text]) WITH ORDINALITY AS part(text, place)
             ORDER BY a.place, part.place) AS acl,
       -- Of each default privilege: creator, kind, grantee, name, whether it may be passed on.
       ARRAY(SELECT part.text
             FROM pg_catalog.pg_default_acl d
             CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) WITH ORDINALITY AS a(grantor, grantee, privilege, is_grantable, place)
             CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[pg_catalog.pg_get_userbyid(d.defaclrole)::text, d.defaclobjtype::text,
                 CASE WHEN a.grantee = 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END, a.privilege,
                 a.is_grantable::text]) WITH ORDINALITY AS part(text, place)
             WHERE d.defaclnamespace = n.oid
             ORDER BY d.oid, a.place, part.place) AS defaults,
       NOT EXISTS (SELECT FROM pg_catalog.pg_default_acl d
                   WHERE d.defaclnamespace = n.oid AND NOT pg_catalog.pg_has_role(current_user, d.defaclrole, 'USAGE')) AS may_set_defaults,
       EXISTS (SELECT FROM pg_catalog.pg_depend d
               WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = n.oid
                 AND d.classid NOT IN ('pg_catalog.pg_default_acl'::regclass, 'pg_catalog.pg_extension'::regclass)) AS has_objects,
       EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extnamespace = n.oid) AS has_extension,
       EXISTS (SELECT FROM pg_catalog.pg_seclabel s
               WHERE s.classoid = 'pg_catalog.pg_namespace'::regclass AND s.objoid = n.oid)
       OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e') AS is_special,
       pg_catalog.pg_has_role(current_user, n.nspowner, 'USAGE') AS is_own,
       pg_catalog.has_schema_privilege(n.oid, 'CREATE') AS may_create
FROM pg_catalog.pg_namespace n
WHERE n.nspname = $1
