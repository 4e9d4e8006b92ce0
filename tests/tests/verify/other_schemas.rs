//! Schemas besides the app's own, on purpose.

use tests::{Cluster, Workspace, shows};

use crate::case::{CASE, set_up};

/// What a queue's library and the app itself keep beside the app's schema.
const BESIDE: &str = "SET ROLE aura_user; \
    CREATE SCHEMA graphile_worker; CREATE TABLE graphile_worker.migrations (id int PRIMARY KEY); \
    CREATE TABLE graphile_worker.notes_note (id int); CREATE FUNCTION graphile_worker.add_job() RETURNS int LANGUAGE sql AS 'SELECT 1'; \
    CREATE TYPE graphile_worker.job_spec AS (identifier text); \
    CREATE SCHEMA audit; CREATE TABLE audit.entry (id serial PRIMARY KEY); \
    CREATE FUNCTION aura.enqueue() RETURNS int LANGUAGE sql AS 'SELECT graphile_worker.add_job()'";

#[test]
fn a_schema_that_is_named_is_left() {
    let (cluster, workspace) = set_up(&CASE);
    cluster.sql("aura_db", BESIDE);
    let found = workspace.verify().exits(3);
    assert_eq!(
        (found.with_status("fail"), found.with_status("warn")),
        (vec!["strays".to_owned()], vec!["function-bodies".to_owned()])
    );
    // The library is suggested by name, and no SQL moves what is its own.
    assert!(found.message("strays").contains("set DB_OTHER_SCHEMAS=graphile_worker"), "{}", found.stdout);
    assert!(!found.fix("strays").contains("graphile_worker"), "{}", found.fix("strays"));
    shows("strays", &found.screen());

    let named = workspace.with("DB_OTHER_SCHEMAS", "audit, graphile_worker");
    let clean = named.verify().exits(0);
    assert_eq!(clean.with_status("warn"), [""; 0], "{}", clean.stdout);
    named.run(&["db-setup"]).exits(0);
    // One that is not named is found as before.
    let one = named.with("DB_OTHER_SCHEMAS", "graphile_worker").verify().exits(3);
    assert_eq!(one.with_status("fail"), ["strays"]);
    assert!(one.message("strays").contains("audit.entry"), "{}", one.stdout);
}

#[test]
fn a_library_alone_is_a_warning_with_its_name() {
    let (cluster, workspace) = set_up(&CASE);
    for (schema, library) in [("graphile_worker", "graphile-worker"), ("pgboss", "pg-boss"), ("partman", "pg_partman")]
    {
        cluster.sql(
            "aura_db",
            &format!("SET ROLE aura_user; CREATE SCHEMA {schema}; CREATE TABLE {schema}.job (id int); CREATE TABLE {schema}.notes_note (id int)"),
        );
        let run = workspace.verify().exits(0);
        assert_eq!(run.with_status("warn"), ["strays"], "{}", run.stdout);
        let message = run.message("strays");
        assert!(
            message.contains(&format!("schema {schema} is {library}'s own: set DB_OTHER_SCHEMAS={schema}")),
            "{message}"
        );
        assert_eq!(run.fix("strays"), "");
        cluster.sql("aura_db", &format!("DROP SCHEMA {schema} CASCADE"));
    }
}

/// Where a tool keeps its books by itself: it would run everything once more, were they moved.
#[test]
fn books_in_the_tools_own_schema_are_in_their_place() {
    let (cluster, workspace) = set_up(&CASE);
    for books in [
        "drizzle.__drizzle_migrations",
        "supabase_migrations.schema_migrations",
        "graphile_migrate.migrations",
        "atlas_schema_revisions.atlas_schema_revisions",
    ] {
        let schema = books.split('.').next().unwrap();
        cluster.sql(
            "aura_db",
            &format!(
                "SET ROLE aura_user; CREATE SCHEMA {schema}; CREATE TABLE {books} (id serial PRIMARY KEY, hash text)"
            ),
        );
        let run = workspace.verify().exits(0);
        assert_eq!(run.with_status("warn"), [""; 0], "{books}: {}", run.stdout);
    }
    // Elsewhere they are found, and the tool's own setting is named.
    cluster.sql(
        "aura_db",
        "CREATE TABLE public.alembic_version (version_num text); ALTER TABLE public.alembic_version OWNER TO aura_user",
    );
    let run = workspace.verify().exits(3);
    assert_eq!(run.with_status("fail"), ["bookkeeping"], "{}", run.stdout);
    assert!(run.message("bookkeeping").contains("version_table_schema"), "{}", run.stdout);
}

/// From nothing: the migrations make both, and a template for tests could be made of it.
#[test]
fn migrations_that_make_two_schemas() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster)
        .with("MIGRATE_COMMAND", "psql -X -q -v ON_ERROR_STOP=1 -f all.sql")
        .with("MIGRATE_INPUTS", "all.sql");
    workspace.write("all.sql", "CREATE TABLE one (id int); CREATE SCHEMA r; CREATE TABLE r.two (id int); CREATE FUNCTION r.f() RETURNS int LANGUAGE sql AS 'SELECT 1';");
    let found = workspace.run(&["db-setup", "--format", "json"]).exits(3);
    assert_eq!(found.with_status("fail"), ["tables-landed", "strays"], "{}", found.stdout);
    let named = workspace.with("DB_OTHER_SCHEMAS", "r");
    named.write("all.sql", "CREATE TABLE IF NOT EXISTS one (id int); CREATE TABLE r.three (id int);");
    let done = named.run(&["db-setup", "--format", "json"]).exits(0);
    assert_eq!(done.with_status("warn"), [""; 0], "{}", done.stdout);
    // A library's own.
    named.write(
        "all.sql",
        "CREATE TABLE IF NOT EXISTS one (id int); CREATE SCHEMA pgboss; CREATE TABLE pgboss.job (id int);",
    );
    let run = named.run(&["db-setup", "--format", "json"]).exits(0);
    assert_eq!(run.with_status("warn"), ["tables-landed", "strays"], "{}", run.stdout);
    let wrong = named.with("DB_OTHER_SCHEMAS", "public").run(&["db-verify"]).exits(1);
    assert!(wrong.stderr.contains("DB_OTHER_SCHEMAS"), "{}", wrong.stderr);
}
