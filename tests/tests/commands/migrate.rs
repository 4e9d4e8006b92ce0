//! `db-migrate`: runs whatever program it is told, and proves where what it made has landed.

use tests::{Cluster, Workspace, seen};

/// Migrations that are no program of ours: every file of a directory, by psql, and a mark for each run.
const BY_PSQL: &str =
    "echo run >> runs; for file in sql/*.sql; do psql -X -q -v ON_ERROR_STOP=1 -f $file || exit 7; done";

fn by_psql(cluster: &Cluster) -> Workspace {
    let workspace = Workspace::on(cluster).with("MIGRATE_COMMAND", BY_PSQL).with("MIGRATE_INPUTS", "sql/**");
    workspace.write("sql/1.sql", "CREATE TABLE IF NOT EXISTS painter (id bigint PRIMARY KEY, name text);");
    workspace
}

fn runs(workspace: &Workspace) -> usize {
    std::fs::read_to_string(workspace.root().join("runs")).map_or(0, |text| text.lines().count())
}

#[test]
fn migrating_never_skips_and_records_what_was_verified() {
    let cluster = Cluster::start();
    let workspace = by_psql(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(runs(&workspace), 1);
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(runs(&workspace), 1, "a setup skips what was verified");
    workspace.run(&["db-migrate"]).exits(0).complains("no new objects");
    assert_eq!(runs(&workspace), 2, "db-migrate never skips");

    workspace.write(
        "sql/2.sql",
        "CREATE TABLE IF NOT EXISTS painting (id bigserial); CREATE VIEW names AS SELECT name FROM painter;",
    );
    assert_eq!(workspace.verify().exits(3).with_status("fail"), ["migrations"]);
    let run = workspace.run(&["db-migrate"]).exits(0).complains("new: 1 table, 1 view, 1 sequence in aura");
    assert!(run.stdout.contains("verified: "), "the report is the result: {}", run.stdout);
    workspace.verify().exits(0);
    assert_eq!(cluster.value("aura_db", "SELECT tableowner FROM pg_tables WHERE tablename = 'painting'"), "aura_user");
}

#[test]
fn what_lands_outside_fails_the_run() {
    let cluster = Cluster::start();
    let workspace = by_psql(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    workspace.write("sql/2.sql", "CREATE SCHEMA IF NOT EXISTS attic; CREATE TABLE IF NOT EXISTS attic.chest (id int);");
    let run = workspace.run(&["db-migrate", "--format", "json"]).exits(3).complains("new: 1 table elsewhere");
    assert_eq!(run.with_status("fail"), ["tables-landed", "strays", "migrations"]);
    let landed = run.check("tables-landed");
    assert!(
        landed["message"].as_str().unwrap().contains("the migrations made table attic.chest outside aura"),
        "{landed}"
    );
    assert_eq!(landed["objects"][0]["schema"], "attic");
    // What was not verified is not recorded: the next setup runs it again, and is as honest.
    workspace.run(&["db-setup"]).exits(3);
    assert_eq!(runs(&workspace), 3);
    assert_eq!(workspace.verify().exits(3).with_status("fail"), ["strays", "migrations"]);

    cluster.sql("aura_db", "DROP SCHEMA attic CASCADE");
    workspace.write("sql/2.sql", "CREATE TABLE IF NOT EXISTS chest (id int);");
    workspace.run(&["db-migrate"]).exits(0);
    workspace.verify().exits(0);
}

#[test]
fn f06_a_path_of_the_migrations_own_is_found_by_where_its_objects_landed() {
    let cluster = Cluster::start();
    let workspace = by_psql(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    cluster.sql("aura_db", "GRANT CREATE ON SCHEMA public TO aura_user");
    workspace.write("sql/2.sql", "SET search_path = public; CREATE TABLE IF NOT EXISTS sketch (id int);");
    let run = workspace.run(&["db-migrate", "--format", "json"]).exits(3);
    let message = run.message("tables-landed");
    assert!(message.contains("they set a search_path of their own, or name a schema"), "{message}");
    assert!(message.contains("public.sketch"), "{message}");
    seen(&format!("exit code {}: {message}", run.code));
}

#[test]
fn a_failing_command_is_an_error_in_its_own_words() {
    let cluster = Cluster::start();
    let workspace = by_psql(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    workspace.write("sql/2.sql", "CREATE TABLE half (id int);\nCREATE TABLE other_half (id nonsense);");
    let run = workspace.run(&["db-migrate"]).exits(1);
    assert_eq!(run.stdout, "", "an error is no result");
    run.complains("type \"nonsense\" does not exist").complains("exit status: 7").complains("new: 1 table in aura");
    assert_eq!(workspace.verify().exits(3).with_status("fail"), ["migrations"]);
}

#[test]
fn the_command_has_the_apps_connection_and_no_other() {
    let cluster = Cluster::start();
    let tell = "psql -X -Atc \"SELECT current_user, current_database(), current_schema()\"; psql -X -At \"$DATABASE_URL\" \
                -c \"SELECT 'by url', current_user\"; echo \"$DATABASE_URL, $PGPASSWORD\"; env | grep -c ^ADMIN_; \
                env | grep -c ^DB_; exit 1";
    let workspace =
        Workspace::on(&cluster).with("MIGRATE_COMMAND", tell).with("PGDATABASE", "postgres").with("PGUSER", "postgres");
    let run = workspace.run(&["db-setup"]).exits(1);
    let run = run.complains("| aura_user|aura_db|aura").complains("| by url|aura_user").complains("  | 0\n  | 0");
    run.never_says("the-app's").never_says("the-app%27s");
}

#[test]
fn nothing_made_is_no_success() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", "true");
    let run = workspace.run(&["db-setup", "--format", "json"]).exits(3);
    assert_eq!(run.with_status("fail"), ["tables-landed"]);
}

#[test]
fn what_is_not_set_up_cannot_be_migrated() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-migrate"]).exits(1).complains("run cargo xtask db-setup").never_says("the-app's");
    workspace.run(&["db-setup"]).exits(0);
    cluster.sql("postgres", "DROP DATABASE aura_db");
    workspace.run(&["db-migrate"]).exits(1).complains("run cargo xtask db-setup");
    assert_eq!(cluster.value("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'aura_db'"), "0");
}

#[test]
fn a_refused_login_is_said_in_the_servers_words() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    cluster.sql("postgres", "ALTER ROLE aura_user PASSWORD 'another'");
    workspace.run(&["db-migrate"]).exits(1).complains("password authentication failed").complains("db-setup");
}

#[test]
fn f23_migrations_that_would_land_elsewhere_are_not_run() {
    let cluster = Cluster::start();
    let workspace = by_psql(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let before = runs(&workspace);
    cluster.sql(
        "aura_db",
        "ALTER ROLE aura_user IN DATABASE aura_db RESET search_path; ALTER DATABASE aura_db RESET search_path",
    );
    let run = workspace.run(&["db-migrate", "--format", "json"]).exits(3).complains("not run");
    assert_eq!(run.with_status("fail"), ["search-path"]);
    assert_eq!(runs(&workspace), before);
    let message = run.message("search-path");
    workspace.run(&["db-setup"]).exits(0);
    workspace.run(&["db-migrate"]).exits(0);
    assert_eq!(runs(&workspace), before + 1);
    seen(&format!("migrations not run: {}", message.split(';').next().unwrap()));
}
