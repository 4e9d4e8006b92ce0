-- what must not change of the objects of two schemas: a digest of each, without the schema and what vacuum writes. A function is
-- named by its oid, as its name is printed with its schema; $1, $2: the schemas
WITH place AS (SELECT oid, nspname::text AS name FROM pg_catalog.pg_namespace WHERE nspname IN ($1, $2)),
     relation AS (SELECT c.oid, p.name AS schema FROM pg_catalog.pg_class c JOIN place p ON p.oid = c.relnamespace)
SELECT 'relation' AS what, c.oid, p.name AS schema, c.relname::text AS name,
       pg_catalog.md5((pg_catalog.to_jsonb(c) - '{relnamespace,relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid,relhasindex,relhasrules,relhastriggers,relhassubclass}'::text[])::text) AS digest
FROM pg_catalog.pg_class c JOIN place p ON p.oid = c.relnamespace
UNION ALL
SELECT 'columns', r.oid, r.schema, '', pg_catalog.md5(pg_catalog.string_agg(a::text, '' ORDER BY a.attnum))
FROM pg_catalog.pg_attribute a JOIN relation r ON r.oid = a.attrelid GROUP BY r.oid, r.schema
UNION ALL
SELECT 'defaults', r.oid, r.schema, '', pg_catalog.md5(pg_catalog.string_agg(d::text, '' ORDER BY d.adnum))
FROM pg_catalog.pg_attrdef d JOIN relation r ON r.oid = d.adrelid GROUP BY r.oid, r.schema
UNION ALL
SELECT 'constraints', r.oid, r.schema, '',
       pg_catalog.md5(pg_catalog.string_agg((pg_catalog.to_jsonb(c) - 'connamespace')::text, '' ORDER BY c.oid))
FROM pg_catalog.pg_constraint c JOIN relation r ON r.oid = c.conrelid GROUP BY r.oid, r.schema
UNION ALL
SELECT 'index', r.oid, r.schema, '', pg_catalog.md5(i::text)
FROM pg_catalog.pg_index i JOIN relation r ON r.oid = i.indexrelid
UNION ALL
SELECT 'triggers', r.oid, r.schema, '', pg_catalog.md5(pg_catalog.string_agg(t::text, '' ORDER BY t.oid))
FROM pg_catalog.pg_trigger t JOIN relation r ON r.oid = t.tgrelid GROUP BY r.oid, r.schema
UNION ALL
SELECT 'rules', r.oid, r.schema, '', pg_catalog.md5(pg_catalog.string_agg(w::text, '' ORDER BY w.oid))
FROM pg_catalog.pg_rewrite w JOIN relation r ON r.oid = w.ev_class GROUP BY r.oid, r.schema
UNION ALL
SELECT 'policies', r.oid, r.schema, '', pg_catalog.md5(pg_catalog.string_agg(l::text, '' ORDER BY l.oid))
FROM pg_catalog.pg_policy l JOIN relation r ON r.oid = l.polrelid GROUP BY r.oid, r.schema
UNION ALL
SELECT 'sequence', r.oid, r.schema, '', pg_catalog.md5(s::text)
FROM pg_catalog.pg_sequence s JOIN relation r ON r.oid = s.seqrelid
UNION ALL
SELECT 'inheritance', r.oid, r.schema, '', pg_catalog.md5(pg_catalog.string_agg(i::text, '' ORDER BY i.inhseqno))
FROM pg_catalog.pg_inherits i JOIN relation r ON r.oid = i.inhrelid GROUP BY r.oid, r.schema
UNION ALL
SELECT 'comments', r.oid, r.schema, '', pg_catalog.md5(pg_catalog.string_agg(d::text, '' ORDER BY d.objsubid))
FROM pg_catalog.pg_description d JOIN relation r ON d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid = r.oid
GROUP BY r.oid, r.schema
UNION ALL
SELECT 'type', t.oid, p.name, t.typname::text, pg_catalog.md5((pg_catalog.to_jsonb(t) - '{typnamespace,typinput,typoutput,typreceive,typsend,typmodin,typmodout,typanalyze,typsubscript}'::text[])::text
           || ARRAY[t.typinput::oid, t.typoutput::oid, t.typreceive::oid, t.typsend::oid, t.typmodin::oid, t.typmodout::oid, t.typanalyze::oid]::text)
FROM pg_catalog.pg_type t JOIN place p ON p.oid = t.typnamespace
UNION ALL
SELECT 'routine', f.oid, p.name, f.proname::text, pg_catalog.md5((pg_catalog.to_jsonb(f) - '{pronamespace,prosupport}'::text[])::text || f.prosupport::oid::text)
FROM pg_catalog.pg_proc f JOIN place p ON p.oid = f.pronamespace
UNION ALL
SELECT 'operator', o.oid, p.name, o.oprname::text, pg_catalog.md5((pg_catalog.to_jsonb(o) - '{oprnamespace,oprcode,oprrest,oprjoin}'::text[])::text
           || ARRAY[o.oprcode::oid, o.oprrest::oid, o.oprjoin::oid]::text)
FROM pg_catalog.pg_operator o JOIN place p ON p.oid = o.oprnamespace
UNION ALL
SELECT 'operator class', o.oid, p.name, o.opcname::text, pg_catalog.md5((pg_catalog.to_jsonb(o) - 'opcnamespace')::text)
FROM pg_catalog.pg_opclass o JOIN place p ON p.oid = o.opcnamespace
UNION ALL
SELECT 'operator family', o.oid, p.name, o.opfname::text, pg_catalog.md5((pg_catalog.to_jsonb(o) - 'opfnamespace')::text)
FROM pg_catalog.pg_opfamily o JOIN place p ON p.oid = o.opfnamespace
UNION ALL
SELECT 'collation', c.oid, p.name, c.collname::text, pg_catalog.md5((pg_catalog.to_jsonb(c) - 'collnamespace')::text)
FROM pg_catalog.pg_collation c JOIN place p ON p.oid = c.collnamespace
UNION ALL
SELECT 'conversion', c.oid, p.name, c.conname::text, pg_catalog.md5((pg_catalog.to_jsonb(c) - '{connamespace,conproc}'::text[])::text || c.conproc::oid::text)
FROM pg_catalog.pg_conversion c JOIN place p ON p.oid = c.connamespace
UNION ALL
SELECT 'statistics', s.oid, p.name, s.stxname::text, pg_catalog.md5((pg_catalog.to_jsonb(s) - 'stxnamespace')::text)
FROM pg_catalog.pg_statistic_ext s JOIN place p ON p.oid = s.stxnamespace
UNION ALL
SELECT 'text search configuration', c.oid, p.name, c.cfgname::text, pg_catalog.md5((pg_catalog.to_jsonb(c) - 'cfgnamespace')::text)
FROM pg_catalog.pg_ts_config c JOIN place p ON p.oid = c.cfgnamespace
UNION ALL
SELECT 'text search dictionary', d.oid, p.name, d.dictname::text, pg_catalog.md5((pg_catalog.to_jsonb(d) - 'dictnamespace')::text)
FROM pg_catalog.pg_ts_dict d JOIN place p ON p.oid = d.dictnamespace
UNION ALL
SELECT 'text search parser', t.oid, p.name, t.prsname::text, pg_catalog.md5((pg_catalog.to_jsonb(t) - '{prsnamespace,prsstart,prstoken,prsend,prsheadline,prslextype}'::text[])::text
           || ARRAY[t.prsstart::oid, t.prstoken::oid, t.prsend::oid, t.prsheadline::oid, t.prslextype::oid]::text)
FROM pg_catalog.pg_ts_parser t JOIN place p ON p.oid = t.prsnamespace
UNION ALL
SELECT 'text search template', t.oid, p.name, t.tmplname::text, pg_catalog.md5((pg_catalog.to_jsonb(t) - '{tmplnamespace,tmplinit,tmpllexize}'::text[])::text
           || ARRAY[t.tmplinit::oid, t.tmpllexize::oid]::text)
FROM pg_catalog.pg_ts_template t JOIN place p ON p.oid = t.tmplnamespace
