//! A database whose tables lie in `public`, and ways to look at it.

use tests::{Cluster, Workspace};

/// A database of the app's role, which may create in `public`; the superuser has run these statements in it.
pub(crate) fn in_public(statements: &str) -> (Cluster, Workspace) {
    let cluster = Cluster::start();
    let workspace = on(&cluster, statements);
    (cluster, workspace)
}

/// The same on a server that is there.
pub(crate) fn on(cluster: &Cluster, statements: &str) -> Workspace {
    cluster.sql("postgres", "CREATE ROLE aura_user LOGIN PASSWORD 'the-app''s'; CREATE ROLE reader");
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    cluster.sql(
        "aura_db",
        "GRANT CREATE ON SCHEMA public TO aura_user; GRANT CREATE, TEMPORARY ON DATABASE aura_db TO aura_user",
    );
    cluster.sql("aura_db", statements);
    Workspace::on(cluster)
}

/// Statements of the app's own.
pub(crate) fn by_app(statements: &str) -> String {
    format!("SET ROLE aura_user; {statements}; RESET ROLE;")
}

/// Another role's table: it stays in `public`, so that the schema cannot be renamed.
pub(crate) const THEIRS: &str = "CREATE TABLE public.theirs (x int); ALTER TABLE public.theirs OWNER TO reader;";

/// The schema of a relation, as the superuser sees it.
pub(crate) fn schema_of(cluster: &Cluster, relation: &str) -> String {
    let sql = format!(
        "SELECT string_agg(n.nspname, ', ' ORDER BY n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relname = '{relation}'"
    );
    cluster.value("aura_db", &sql)
}

/// What lies in `public` and belongs to no extension.
pub(crate) fn left_in_public(cluster: &Cluster) -> String {
    cluster.value(
        "aura_db",
        "SELECT coalesce(string_agg(d.classid::regclass || ' ' || d.objid, ', '), '') FROM pg_depend d
         WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = 'public'::regnamespace
           AND d.classid NOT IN ('pg_extension'::regclass, 'pg_default_acl'::regclass)
           AND NOT EXISTS (SELECT FROM pg_depend x
                           WHERE x.classid = d.classid AND x.objid = d.objid AND x.deptype = 'e')",
    )
}
