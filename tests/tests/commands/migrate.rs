//! `db-migrate`: runs whatever program it is told, and proves where what it made has landed.

use tests::{Cluster, Workspace};

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
    workspace.run(&["db-migrate"]).exits(0).shows("no-new-objects");
    assert_eq!(runs(&workspace), 2, "db-migrate never skips");

    workspace.write(
        "sql/2.sql",
        "CREATE TABLE IF NOT EXISTS painting (id bigserial); CREATE VIEW names AS SELECT name FROM painter;",
    );
    assert_eq!(workspace.verify().exits(3).with_status("fail"), ["migrations"]);
    workspace.run(&["db-migrate"]).exits(0).shows("new-objects");
    workspace.verify().exits(0);
    assert_eq!(cluster.value("aura_db", "SELECT tableowner FROM pg_tables WHERE tablename = 'painting'"), "aura_user");
}

#[test]
fn what_lands_outside_fails_the_run() {
    let cluster = Cluster::start();
    let workspace = by_psql(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    workspace.write("sql/2.sql", "CREATE SCHEMA IF NOT EXISTS attic; CREATE TABLE IF NOT EXISTS attic.chest (id int);");
    let run = workspace.run(&["db-migrate", "--format", "json"]).exits(3).shows("table-elsewhere");
    assert_eq!(run.with_status("fail"), ["tables-landed", "strays", "migrations"]);
    let landed = run.check("tables-landed");
    assert_eq!((&landed["objects"][0]["schema"], &landed["objects"][0]["name"]), (&"attic".into(), &"chest".into()));
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
    let run = workspace.run(&["db-migrate", "--format", "json"]).exits(3).shows("path-of-its-own");
    assert_eq!(run.check("tables-landed")["objects"][0]["name"], "sketch");
}

#[test]
fn a_failing_command_is_an_error_in_its_own_words() {
    let cluster = Cluster::start();
    let workspace = by_psql(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    workspace.write("sql/2.sql", "CREATE TABLE half (id int);\nCREATE TABLE other_half (id nonsense);");
    let run = workspace.run(&["db-migrate"]).exits(1);
    assert_eq!(run.stdout, "", "an error is no result");
    run.shows("failing-command");
    assert_eq!(cluster.value("aura_db", "SELECT schemaname FROM pg_tables WHERE tablename = 'half'"), "aura");
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
    let run = run.never_says("the-app's").never_says("the-app%27s");
    let told = run.stderr.lines().filter_map(|line| line.trim().strip_prefix("| ")).collect::<Vec<_>>();
    assert_eq!((&told[..2], &told[3..]), (&["aura_user|aura_db|aura", "by url|aura_user"][..], &["0", "0"][..]));
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
    workspace.run(&["db-migrate"]).exits(1).shows("no-role").never_says("the-app's");
    workspace.run(&["db-setup"]).exits(0);
    cluster.sql("postgres", "DROP DATABASE aura_db");
    workspace.run(&["db-migrate"]).exits(1).shows("no-database");
    assert_eq!(cluster.value("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'aura_db'"), "0");
}

#[test]
fn a_refused_login_is_said_in_the_servers_words() {
    let (cluster, workspace) = Cluster::set_up();
    cluster.sql("postgres", "ALTER ROLE aura_user PASSWORD 'another'");
    workspace.run(&["db-migrate"]).exits(1).shows("refused-login");
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
    let run = workspace.run(&["db-migrate", "--format", "json"]).exits(3).shows("migrations-not-run");
    assert_eq!(run.with_status("fail"), ["search-path"]);
    assert_eq!(runs(&workspace), before);
    workspace.run(&["db-setup"]).exits(0);
    workspace.run(&["db-migrate"]).exits(0);
    assert_eq!(runs(&workspace), before + 1);
}
