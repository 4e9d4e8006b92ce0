-- the comment on a schema, in one round trip by whatever path: no operator is looked for, and obj_description, which up
-- to version 13 looks for operators by the caller's path, is not called; $1: the schema
SELECT d.description
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_description d
  ON d.objoid OPERATOR(pg_catalog.=) n.oid AND d.classoid OPERATOR(pg_catalog.=) n.tableoid
 AND d.objsubid OPERATOR(pg_catalog.=) 0
WHERE n.nspname OPERATOR(pg_catalog.=) $1
