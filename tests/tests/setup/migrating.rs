//! Migrate commands that fail, that land elsewhere, that do nothing.

use tests::{Cluster, Workspace};

/// What the schema's comment records of the migrations.
const RECORDED: &str = "SELECT coalesce((SELECT part FROM pg_catalog.regexp_split_to_table(comment, '; ') AS part \
                        WHERE part !~ '^(search_path set|migrations failed)'), 'nothing') \
                        FROM pg_catalog.obj_description('aura'::regnamespace, 'pg_namespace') AS comment";
/// The relations of a schema's tables.
const TABLES: &str = "SELECT coalesce(pg_catalog.string_agg(relnamespace::regnamespace || '.' || relname, ' ' ORDER BY relname), '') \
                      FROM pg_catalog.pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ('aura', 'public')";

fn with_command(cluster: &Cluster, command: &str) -> Workspace {
    Workspace::on(cluster).with("MIGRATE_COMMAND", command)
}

/// `psql` on what the command's environment says, as the app's role.
fn psql(statements: &[&str]) -> String {
    let each: Vec<_> = statements.iter().map(|statement| format!(" -c \"{statement}\"")).collect();
    format!("psql -X -q -v ON_ERROR_STOP=1{}", each.concat())
}

/// The seed document's own: the command applies one file after the other, and the last is not in the tree.
#[test]
fn f01_a_missing_migration_file_is_no_success() {
    let cluster = Cluster::start();
    let by_psql = "for n in 1 2 3; do psql -X -q -v ON_ERROR_STOP=1 -f sql/$n.sql || exit 1; done";
    let workspace = with_command(&cluster, by_psql).with("MIGRATE_INPUTS", "sql/**");
    for n in 1..=2 {
        workspace.write(&format!("sql/{n}.sql"), format!("CREATE TABLE IF NOT EXISTS number_{n} (id int);"));
    }
    let setup = workspace.run(&["db-setup", "--format", "json"]).exits(1);
    // An error is not a result, and nothing is recorded.
    assert_eq!(setup.stdout, "");
    setup.shows("missing-file");
    assert_eq!(cluster.value("aura_db", TABLES), "aura.number_1 aura.number_2");
    assert_eq!(cluster.value("aura_db", RECORDED), "nothing");
    // A verification that knows nothing of that run finds it.
    let verified = workspace.verify().exits(3).shows("verified-after-a-missing-file");
    assert_eq!(verified.with_status("fail"), ["migrations"]);
    // The next setup runs the command again.
    workspace.run(&["db-setup"]).exits(1).shows("missing-file-again");
    workspace.write("sql/3.sql", "CREATE TABLE number_3 (id int);");
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.value("aura_db", TABLES), "aura.number_1 aura.number_2 aura.number_3");
    assert_ne!(cluster.value("aura_db", RECORDED), "nothing");
}

#[test]
fn f01_f02_a_command_that_fails_half_way_is_no_success() {
    let cluster = Cluster::start();
    let command = format!(
        "echo 'models are ahead'; echo \"as $PGPASSWORD\" >&2; {}",
        psql(&["CREATE TABLE first (id int)", "CREATE TABLE second (id nothing)"])
    );
    let workspace = with_command(&cluster, &command);
    let setup = workspace.run(&["db-setup"]).exits(1).never_says("the-app's").shows("failure-half-way");
    assert_eq!(setup.stdout, "");
    assert_eq!(cluster.value("aura_db", RECORDED), "nothing");
    assert_eq!(cluster.value("aura_db", TABLES), "aura.first");
    // The same command fails again; a fixed one is run.
    workspace.run(&["db-setup"]).exits(1);
    let fixed = with_command(&cluster, &psql(&["CREATE TABLE second (id int)"]));
    fixed.run(&["db-setup"]).exits(0).shows("fixed-command");
    assert_eq!(cluster.value("aura_db", TABLES), "aura.first aura.second");
    assert_ne!(cluster.value("aura_db", RECORDED), "nothing");
    fixed.run(&["db-setup"]).exits(0).shows("second-setup");
}

#[test]
fn f02_the_output_of_the_command_is_shown_with_v() {
    let cluster = Cluster::start();
    let command = format!("echo 'a notice on every run'; {}", psql(&["CREATE TABLE one (id int)"]));
    let workspace = with_command(&cluster, &command);
    workspace.run(&["db-setup", "-v"]).exits(0).shows("notice");
    // Also when there is nothing to apply.
    let ahead = workspace.with("MIGRATE_COMMAND", "echo 'a notice on every run'");
    for _ in 0..2 {
        ahead.run(&["db-migrate", "-v"]).exits(0).shows("notice-without-a-new-table");
    }
}

#[test]
fn f06_a_table_made_in_public_fails_the_run() {
    let cluster = Cluster::start();
    // The app's role may not: the command has a connection of its own.
    let elsewhere = cluster.superuser().with_database("aura_db").url();
    let lost = format!(
        "{}; psql -X -q -d '{elsewhere}' -c 'CREATE TABLE public.lost (id int)'",
        psql(&["CREATE TABLE found (id int)"])
    );
    let workspace = with_command(&cluster, &lost);
    let password = cluster.superuser().password.unwrap();
    let setup = workspace.run(&["db-setup", "--format", "json"]).exits(3).never_says(password.reveal());
    assert_eq!(setup.shows("table-in-public").check("tables-landed")["status"], "fail");
    assert_eq!(cluster.value("aura_db", TABLES), "aura.found public.lost");
    assert_eq!(cluster.value("aura_db", RECORDED), "nothing");
    // As a superuser the app's role itself can.
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE aura_user LOGIN SUPERUSER PASSWORD 'the-app''s'");
    let workspace = with_command(&cluster, &psql(&["SET search_path = public", "CREATE TABLE lost (id int)"]));
    workspace.run(&["db-setup"]).exits(3);
    assert_eq!(cluster.value("aura_db", TABLES), "public.lost");
}

#[test]
fn f06_a_command_that_overwrites_the_path_is_refused_by_the_server() {
    let cluster = Cluster::start();
    let workspace = with_command(&cluster, &psql(&["SET search_path = public", "CREATE TABLE lost (id int)"]));
    workspace.run(&["db-setup"]).exits(1).shows("path-of-the-command");
    assert_eq!(cluster.value("aura_db", TABLES), "");
}

#[test]
fn a_command_that_makes_nothing_in_an_empty_schema_fails_the_run() {
    let cluster = Cluster::start();
    let setup = with_command(&cluster, "true").run(&["db-setup", "--format", "json"]).exits(3);
    assert_eq!(setup.check("tables-landed")["status"], "fail");
    assert_eq!(cluster.value("aura_db", RECORDED), "nothing");
    // Where there are tables, nothing new is nothing wrong.
    let (cluster, _) = Cluster::set_up();
    with_command(&cluster, "true").run(&["db-migrate"]).exits(0);
}

#[test]
fn inputs_that_match_nothing_are_an_error() {
    let cluster = Cluster::start();
    let before = (cluster.globals(), cluster.inventory());
    let workspace = Workspace::on(&cluster).with("MIGRATE_INPUTS", "migrations/**, no-such/**/*.sql");
    workspace.run(&["db-setup"]).exits(1).shows("inputs-without-a-file");
    assert_eq!((cluster.globals(), cluster.inventory()), before);
}

#[test]
fn a_command_that_does_not_exist_says_so() {
    let cluster = Cluster::start();
    with_command(&cluster, "no-such-program --migrate").run(&["db-setup"]).exits(1).shows("missing-program");
    assert_eq!(cluster.value("aura_db", RECORDED), "nothing");
}

#[test]
fn a_changed_input_is_run_and_an_unchanged_one_skipped() {
    let cluster = Cluster::start();
    let workspace =
        with_command(&cluster, "psql -X -q -v ON_ERROR_STOP=1 -f more.sql").with("MIGRATE_INPUTS", "more.sql");
    workspace.write("more.sql", "CREATE TABLE IF NOT EXISTS one (id int);");
    workspace.run(&["db-setup"]).exits(0);
    workspace.run(&["db-setup"]).exits(0).shows("unchanged-input");
    workspace.write("more.sql", "CREATE TABLE IF NOT EXISTS one (id int); CREATE TABLE two (id int);");
    workspace.run(&["db-setup"]).exits(0).shows("changed-input");
    assert_eq!(cluster.value("aura_db", TABLES), "aura.one aura.two");
    // db-migrate never skips: the table is there already.
    workspace.run(&["db-migrate"]).exits(1);
}

#[test]
fn another_comment_on_the_schema_stays() {
    let (cluster, _) = Cluster::set_up();
    cluster.sql("aura_db", "COMMENT ON SCHEMA aura IS 'ask Jeanne first'");
    for _ in 0..2 {
        // Nothing is recorded, so nothing is skipped.
        Workspace::on(&cluster).run(&["db-setup"]).exits(0).shows("setup-with-another-comment");
        assert_eq!(cluster.value("aura_db", RECORDED), "ask Jeanne first");
    }
}

#[test]
fn the_command_does_not_see_the_administrators_variables() {
    let cluster = Cluster::start();
    let command = format!(
        "env | grep -E '^(ADMIN_DATABASE_URL|DB_|PG|DATABASE_URL)' | cut -d= -f1 | sort > names; {}",
        psql(&["CREATE TABLE one (id int)"])
    );
    let workspace = with_command(&cluster, &command).with("PGOPTIONS", "-c statement_timeout=0");
    workspace.run(&["db-setup"]).exits(0);
    let names = std::fs::read_to_string(workspace.root().join("names")).unwrap();
    assert!(!names.contains("ADMIN_DATABASE_URL") && !names.contains("DB_"), "{names}");
    assert!(names.contains("DATABASE_URL") && names.contains("PGDATABASE"), "{names}");
}
