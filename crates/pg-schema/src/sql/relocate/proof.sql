-- what must not change of the objects of two schemas: a digest of each, without the schema and what vacuum writes. A function is
-- named by its oid, as its name is printed with its schema; $1, $2: the schemas
WITH place AS (SELECT oid, nspname::text AS name FROM pg_catalog.pg_namespace WHERE nspname IN ($1, $2))
SELECT 'relation' AS what, c.oid, c.relname::text AS name,
       pg_catalog.md5(ROW(c.relname, c.reltype, c.reloftype, c.relowner, c.relam, c.relfilenode, c.reltablespace, c.reltoastrelid,
           c.relisshared, c.relpersistence, c.relkind, c.relnatts, c.relchecks, c.relrowsecurity, c.relforcerowsecurity,
           c.relispopulated, c.relreplident, c.relispartition, c.relrewrite, c.relacl, c.reloptions, c.relpartbound)::text) AS digest
FROM pg_catalog.pg_class c JOIN place p ON p.oid = c.relnamespace
UNION ALL
-- Oid, name and schema are the first columns.
SELECT 'constraint', c.oid, c.conname::text,
       pg_catalog.md5(c.conname::text || pg_catalog.substr(c::text, pg_catalog.length(ROW(c.oid, c.conname, c.connamespace)::text)))
FROM pg_catalog.pg_constraint c JOIN place p ON p.oid = c.connamespace
UNION ALL
SELECT 'type', t.oid, t.typname::text,
       pg_catalog.md5(ROW(t.typname, t.typowner, t.typlen, t.typbyval, t.typtype, t.typcategory, t.typispreferred, t.typisdefined,
           t.typdelim, t.typrelid, t.typelem, t.typarray, t.typinput::oid, t.typoutput::oid, t.typreceive::oid, t.typsend::oid,
           t.typmodin::oid, t.typmodout::oid, t.typanalyze::oid, t.typalign, t.typstorage, t.typnotnull, t.typbasetype, t.typtypmod,
           t.typndims, t.typcollation, t.typdefaultbin, t.typdefault, t.typacl)::text)
FROM pg_catalog.pg_type t JOIN place p ON p.oid = t.typnamespace
UNION ALL
SELECT 'routine', f.oid, f.proname::text, pg_catalog.md5((pg_catalog.to_jsonb(f) - '{pronamespace,prosupport}'::text[])::text || f.prosupport::oid::text)
FROM pg_catalog.pg_proc f JOIN place p ON p.oid = f.pronamespace
UNION ALL
SELECT 'operator', o.oid, o.oprname::text, pg_catalog.md5((pg_catalog.to_jsonb(o) - '{oprnamespace,oprcode,oprrest,oprjoin}'::text[])::text
           || ARRAY[o.oprcode::oid, o.oprrest::oid, o.oprjoin::oid]::text)
FROM pg_catalog.pg_operator o JOIN place p ON p.oid = o.oprnamespace
UNION ALL
SELECT 'operator class', o.oid, o.opcname::text, pg_catalog.md5((pg_catalog.to_jsonb(o) - 'opcnamespace')::text)
FROM pg_catalog.pg_opclass o JOIN place p ON p.oid = o.opcnamespace
UNION ALL
SELECT 'operator family', o.oid, o.opfname::text, pg_catalog.md5((pg_catalog.to_jsonb(o) - 'opfnamespace')::text)
FROM pg_catalog.pg_opfamily o JOIN place p ON p.oid = o.opfnamespace
UNION ALL
SELECT 'collation', c.oid, c.collname::text, pg_catalog.md5((pg_catalog.to_jsonb(c) - 'collnamespace')::text)
FROM pg_catalog.pg_collation c JOIN place p ON p.oid = c.collnamespace
UNION ALL
SELECT 'conversion', c.oid, c.conname::text, pg_catalog.md5((pg_catalog.to_jsonb(c) - '{connamespace,conproc}'::text[])::text || c.conproc::oid::text)
FROM pg_catalog.pg_conversion c JOIN place p ON p.oid = c.connamespace
UNION ALL
SELECT 'statistics', s.oid, s.stxname::text, pg_catalog.md5((pg_catalog.to_jsonb(s) - 'stxnamespace')::text)
FROM pg_catalog.pg_statistic_ext s JOIN place p ON p.oid = s.stxnamespace
UNION ALL
SELECT 'text search configuration', c.oid, c.cfgname::text, pg_catalog.md5((pg_catalog.to_jsonb(c) - 'cfgnamespace')::text)
FROM pg_catalog.pg_ts_config c JOIN place p ON p.oid = c.cfgnamespace
UNION ALL
SELECT 'text search dictionary', d.oid, d.dictname::text, pg_catalog.md5((pg_catalog.to_jsonb(d) - 'dictnamespace')::text)
FROM pg_catalog.pg_ts_dict d JOIN place p ON p.oid = d.dictnamespace
UNION ALL
SELECT 'text search parser', t.oid, t.prsname::text, pg_catalog.md5((pg_catalog.to_jsonb(t) - '{prsnamespace,prsstart,prstoken,prsend,prsheadline,prslextype}'::text[])::text
           || ARRAY[t.prsstart::oid, t.prstoken::oid, t.prsend::oid, t.prsheadline::oid, t.prslextype::oid]::text)
FROM pg_catalog.pg_ts_parser t JOIN place p ON p.oid = t.prsnamespace
UNION ALL
SELECT 'text search template', t.oid, t.tmplname::text, pg_catalog.md5((pg_catalog.to_jsonb(t) - '{tmplnamespace,tmplinit,tmpllexize}'::text[])::text
           || ARRAY[t.tmplinit::oid, t.tmpllexize::oid]::text)
FROM pg_catalog.pg_ts_template t JOIN place p ON p.oid = t.tmplnamespace
UNION ALL
-- Of these no row is written, in any schema: each is where it was in its table. Others' changes are not in the snapshot.
SELECT 'columns', 0, '', pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(x.ctid::text, 0)))
FROM pg_catalog.pg_attribute x
UNION ALL
SELECT 'defaults', 0, '', pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(x.ctid::text, 0)))
FROM pg_catalog.pg_attrdef x
UNION ALL
SELECT 'indexes', 0, '', pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(x.ctid::text, 0)))
FROM pg_catalog.pg_index x
UNION ALL
SELECT 'triggers', 0, '', pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(x.ctid::text, 0)))
FROM pg_catalog.pg_trigger x
UNION ALL
SELECT 'rules', 0, '', pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(x.ctid::text, 0)))
FROM pg_catalog.pg_rewrite x
UNION ALL
SELECT 'policies', 0, '', pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(x.ctid::text, 0)))
FROM pg_catalog.pg_policy x
UNION ALL
SELECT 'sequences', 0, '', pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(x.ctid::text, 0)))
FROM pg_catalog.pg_sequence x
UNION ALL
SELECT 'inheritance', 0, '', pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(x.ctid::text, 0)))
FROM pg_catalog.pg_inherits x
UNION ALL
SELECT 'comments', 0, '', pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(x.ctid::text, 0)))
FROM pg_catalog.pg_description x WHERE x.classoid = 'pg_catalog.pg_class'::regclass
