//! `db-setup --dry-run`: the script that an administrator runs with real psql.

use tests::{Cluster, Run, Workspace, psql};

use crate::{
    names::{STRANGE, named},
    state,
};

/// Prints the script, and runs it from a file as the URL's role, with no other flag.
fn run_script(workspace: &Workspace, url: &str) -> Run {
    let script = workspace.run(&["db-setup", "--dry-run"]).exits(0);
    workspace.write("setup.sql", script.stdout);
    psql(url, &["-f", &workspace.root().join("setup.sql").display().to_string()], "")
}

#[test]
fn f18_f19_f20_the_script_sets_up_and_the_app_alone_does_the_rest() {
    let cluster = Cluster::start();
    // `postgres` is where psql connects; what is made there was made in the wrong place.
    let before = cluster.dump("postgres");
    let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    run_script(&workspace, &cluster.admin_url()).exits(0);
    assert_eq!(cluster.dump("postgres"), before);
    let owner = "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'aura'";
    assert_eq!(cluster.value("aura_db", owner), "aura_user");
    let once = cluster.globals() + &cluster.dump("aura_db");
    run_script(&workspace, &cluster.admin_url()).exits(0);
    // Each verifier has a salt of its own: the second run does not touch the first's.
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), once);
    let setup = workspace.run(&["db-setup"]).exits(0);
    assert!(!setup.stderr.contains("warning"), "{}", setup.stderr);
    state::assert_complete(&workspace, "after the script");
    // On a full schema it changes nothing either.
    let full = cluster.globals() + &cluster.dump("aura_db");
    run_script(&workspace, &cluster.admin_url()).exits(0);
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), full);
    // A table that was not there when ON ALL TABLES ran is the app's, too.
    cluster.sql("aura_db", "CREATE TABLE aura.of_the_administrator (id serial)");
    assert_eq!(workspace.value("INSERT INTO of_the_administrator DEFAULT VALUES RETURNING id"), "1");
}

#[test]
fn the_dry_run_changes_nothing_and_needs_no_server() {
    let cluster = Cluster::start();
    let before = (cluster.globals(), cluster.inventory());
    let workspace = Workspace::on(&cluster);
    let script = workspace.run(&["db-setup", "--dry-run"]).exits(0).never_says("the-app's").never_says("the-app''s");
    assert!(script.stdout.contains("SCRAM-SHA-256$"), "{}", script.stdout);
    assert_eq!((cluster.globals(), cluster.inventory()), before);
    let nowhere = Workspace::new();
    nowhere.run(&["db-setup", "--dry-run"]).exits(0);
    assert!(!nowhere.root().join("servers").exists());
}

#[test]
fn f20_a_failing_statement_ends_the_script() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE stranger LOGIN PASSWORD 'x-y-z'");
    let before = (cluster.globals(), cluster.inventory());
    let workspace = Workspace::on(&cluster);
    let run =
        run_script(&workspace, &cluster.url("stranger", "x-y-z", "postgres")).exits(3).shows("role-without-rights");
    assert_eq!(run.stderr.matches("ERROR").count(), 1, "{}", run.stderr);
    assert_eq!((cluster.globals(), cluster.inventory()), before);
}

#[test]
fn f15_f16_f17_script_and_command_grant_the_same_to_the_same_role() {
    let (by_script, by_command) = (Cluster::start(), Cluster::start());
    let on = |cluster: &Cluster| {
        Workspace::on(cluster).with("DATABASE_URL", &cluster.url("curator", "the-curator's", "museum"))
    };
    // Each of them twice: the second time nothing fails either.
    for _ in 0..2 {
        run_script(&on(&by_script), &by_script.admin_url()).exits(0);
    }
    on(&by_script).without("ADMIN_DATABASE_URL").run(&["db-setup"]).exits(0);
    for _ in 0..2 {
        on(&by_command).run(&["db-setup"]).exits(0);
    }
    assert_eq!(by_script.inventory(), "database museum, role curator");
    let [script, command] = [&by_script, &by_command].map(|cluster| {
        // Rows say when the migrations ran, a remark when the path was set, and neither anything of privileges.
        let dump = cluster.dump("museum");
        let is_about_rights = |line: &&str| !line.contains('\t') && !line.starts_with("COMMENT ON SCHEMA");
        dump.lines().filter(is_about_rights).collect::<Vec<_>>().join("\n")
    });
    assert_eq!(script, command);
    assert!(script.contains(" TO curator;\n"), "{script}");
}

#[test]
fn f17_a_failing_alter_database_is_an_error() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'");
    cluster.sql("postgres", "CREATE DATABASE aura_db");
    // The database is not the administrator's: the very first statement on it ends the script.
    let dba = cluster.url("dba", "managed", "postgres");
    let workspace = Workspace::on(&cluster).with("ADMIN_DATABASE_URL", &dba);
    run_script(&workspace, &dba).exits(3);
    assert_eq!(cluster.value("aura_db", "SELECT count(*) FROM pg_namespace WHERE nspname = 'aura'"), "0");
    // With all that it can be granted, it is ALTER DATABASE itself that ends it.
    cluster.sql("postgres", "GRANT ALL ON DATABASE aura_db TO dba WITH GRANT OPTION");
    run_script(&workspace, &dba).exits(3).shows("database-of-another-owner");
    assert_eq!(cluster.value("aura_db", "SELECT count(*) FROM pg_default_acl"), "0", "what comes after it was run");
    // The command does not try: it sets the role's own path, and warns.
    let setup = workspace.run(&["db-setup", "--format", "json"]).exits(0);
    assert!(setup.with_status("warn").contains(&"search-path".to_owned()), "{}", setup.stdout);
    assert_eq!(setup.fix("search-path"), "ALTER DATABASE aura_db SET search_path = aura, public;");
    state::assert_lands(&workspace, "aura", "not the database's owner");
}

#[test]
fn an_administrator_without_superuser_runs_it_too() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'");
    let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL").with("DB_EXTENSIONS", "pg_trgm");
    let dba = cluster.url("dba", "managed", "postgres");
    run_script(&workspace, &dba).exits(0);
    let once = cluster.globals() + &cluster.dump("aura_db");
    run_script(&workspace, &dba).exits(0);
    assert_eq!(cluster.globals() + &cluster.dump("aura_db"), once);
    workspace.run(&["db-setup"]).exits(0);
    state::assert_complete(&workspace, "by a managed administrator");
}

#[test]
fn strange_names_are_quoted_in_the_script() {
    let cluster = Cluster::start();
    for (role, database, schema) in STRANGE {
        let workspace = named(&cluster, role, database, schema);
        run_script(&workspace, &cluster.admin_url()).exits(0);
        run_script(&workspace, &cluster.admin_url()).exits(0);
        workspace.run(&["db-setup"]).exits(0);
        workspace.verify().exits(0);
        state::assert_lands(&workspace, schema, schema);
    }
}

#[test]
fn extensions_are_made_in_public() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("DB_EXTENSIONS", "pg_trgm, fuzzystrmatch");
    run_script(&workspace, &cluster.admin_url()).exits(0);
    let alone = Workspace::on(&cluster).with("DB_EXTENSIONS", "pg_trgm, fuzzystrmatch").without("ADMIN_DATABASE_URL");
    alone.run(&["db-setup"]).exits(0);
    let where_they_are = "SELECT pg_catalog.string_agg(extname || ' in ' || extnamespace::regnamespace, ', ' ORDER BY extname) \
                          FROM pg_extension WHERE extname <> 'plpgsql'";
    assert_eq!(cluster.value("aura_db", where_they_are), "fuzzystrmatch in public, pg_trgm in public");
    assert_eq!(alone.value("SELECT similarity('œuvre', 'œuvre')"), "1");
    assert_eq!(alone.verify().exits(0).check("extensions")["status"], "pass");
    // By the command, in another database.
    let other = Workspace::on(&cluster)
        .with("DB_EXTENSIONS", "pg_trgm,fuzzystrmatch")
        .with("DATABASE_URL", &cluster.url("aura_user", "the-app's", "other"));
    other.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.value("other", where_they_are), "fuzzystrmatch in public, pg_trgm in public");
}

#[test]
fn an_extension_that_is_not_installed_is_named() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("DB_EXTENSIONS", "no_such_extension");
    let before = (cluster.globals(), cluster.inventory());
    workspace.run(&["db-setup"]).exits(1).shows("missing-extension");
    assert_eq!((cluster.globals(), cluster.inventory()), before);
    // An extension that only a superuser may create, and an administrator who is not one.
    cluster.sql("postgres", "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'managed'");
    let before = (cluster.globals(), cluster.inventory());
    let managed = Workspace::on(&cluster)
        .with("ADMIN_DATABASE_URL", &cluster.url("dba", "managed", "postgres"))
        .with("DB_EXTENSIONS", "pg_trgm, pageinspect");
    managed.run(&["db-setup"]).exits(1).shows("extension-of-a-superuser");
    assert_eq!((cluster.globals(), cluster.inventory()), before);
    managed.with("DB_EXTENSIONS", "pg_trgm").run(&["db-setup"]).exits(0);
}
