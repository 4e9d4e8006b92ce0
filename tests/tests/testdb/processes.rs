//! Many processes, killed ones, failed ones.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use crate::fixture::{Fixture, database, finished};

const TEMPLATES: &str = "SELECT pg_catalog.string_agg(datname::text, ' ' ORDER BY oid) FROM pg_catalog.pg_database \
                         WHERE datname ~ '^aura_db_(template|building)_'";

/// Whether few or many ask: what is in use at any moment is bounded. What waits afterwards may be a little more: who has
/// a place a moment after a clone was given back may not see it yet, and makes one.
#[test]
fn thirty_two_at_once_on_an_empty_server_make_one_template() {
    let fixture = Fixture::new();
    let mut watch = pg_config::connect(&fixture.cluster.superuser()).unwrap();
    let in_use = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_database WHERE datname ~ '^aura_db_(test|used)_'";
    let mut children: Vec<_> = (0..32)
        .map(|_| fixture.workspace.testdb_command(&["suite", "1", "2"]).stdout(Stdio::null()).spawn().unwrap())
        .collect();
    let mut most = 0;
    while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        most = most.max(watch.client.query_one(in_use, &[]).unwrap().get::<_, i64>(0));
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let templates = fixture.cluster.value("postgres", TEMPLATES);
    assert_eq!(templates.split(' ').count(), 1, "{templates}");
    let cap: i64 = fixture.cluster.value("postgres", "SHOW max_connections").parse::<i64>().unwrap() / 4;
    assert!((1..=cap).contains(&most), "{most} were in use at once");
    let clones = fixture.clones();
    assert!(clones.len() <= 32 && clones.iter().all(|name| name.starts_with("aura_db_ready_")), "{clones:?}");
}

#[test]
fn tests_on_threads_do_not_see_each_other() {
    let fixture = Fixture::new();
    fixture.workspace.testdb(&["suite", "4", "60"]).exits(0);
    // As many as were in use at once, all given back.
    fixture.workspace.testdb(&["sql"]).exits(0);
    let clones = fixture.clones();
    assert!(clones.len() <= 5 && clones.iter().all(|name| name.starts_with("aura_db_ready_")), "{clones:?}");
}

#[test]
fn a_killed_process_leaves_a_database_that_the_next_one_sweeps() {
    let fixture = Fixture::new();
    fixture.workspace.testdb(&["sql"]).exits(0);
    let (mut killed, name) = held(&fixture);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(fixture.clones().contains(&name));
    fixture.workspace.testdb(&["suite", "1", "5"]).exits(0);
    let clones = swept(&fixture, &name);
    assert!(clones.iter().all(|name| name.starts_with("aura_db_ready_")), "{clones:?}");
}

/// The next run finds all in order, at whatever moment they were killed.
#[test]
fn half_of_the_processes_are_killed() {
    let fixture = Fixture::new();
    fixture.workspace.testdb(&["sql"]).exits(0);
    let start = |nth: usize| {
        // Those that are killed would go on for long.
        let tests = if nth.is_multiple_of(2) { "5000" } else { "40" };
        let mut command = fixture.workspace.testdb_command(&["suite", "2", tests]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut children: Vec<_> = (0..8).map(start).collect();
    for (nth, child) in children.iter_mut().enumerate().filter(|(nth, _)| nth % 2 == 0) {
        std::thread::sleep(std::time::Duration::from_millis(60 + 20 * nth as u64));
        child.kill().unwrap();
    }
    for (nth, mut child) in children.into_iter().enumerate() {
        assert_eq!(child.wait().unwrap().success(), nth % 2 == 1, "process {nth}");
    }
    for _ in 0..100 {
        // That is done beside the tests.
        fixture.workspace.testdb(&["suite", "2", "10"]).exits(0);
        if fixture.clones().iter().all(|name| name.starts_with("aura_db_ready_")) {
            return;
        }
    }
    panic!("{:?}", fixture.clones());
}

#[test]
fn no_more_than_a_quarter_of_the_connections_have_a_database_at_once() {
    let cluster = tests::Cluster::start_with(&[("max_connections", "32")]);
    let fixture = Fixture { workspace: tests::Workspace::on(&cluster), cluster };
    let mut holders: Vec<_> = (0..8).map(|_| held(&fixture).0).collect();
    let mut ninth = fixture.workspace.testdb_command(&["sql"]).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(ninth.try_wait().unwrap().is_none(), "there was no place for it");
    let mut first = holders.remove(0);
    drop(first.stdin.take());
    assert!(first.wait().unwrap().success());
    assert!(ninth.wait().unwrap().success());
    for mut holder in holders {
        drop(holder.stdin.take());
        assert!(holder.wait().unwrap().success());
    }
}

/// Those that another process holds are left alone.
#[test]
fn a_living_process_keeps_its_database() {
    let fixture = Fixture::new();
    let (mut living, name) = held(&fixture);
    fixture.workspace.testdb(&["suite", "2", "6"]).exits(0);
    assert!(fixture.clones().contains(&name));
    drop(living.stdin.take());
    assert!(living.wait().unwrap().success());
}

#[test]
fn a_failed_tests_database_stays_with_its_name_in_the_output() {
    let fixture = Fixture::new();
    for (how, code) in [("panic", 101), ("error", 0)] {
        let failed = fixture.workspace.testdb(&[how]).exits(code).never_says("the-app's").shows(how);
        let name = failed.stderr.split("DB_NAME=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        fixture.workspace.testdb(&["suite", "2", "4"]).exits(0);
        assert!(fixture.clones().contains(&name), "{how}: {:?}", fixture.clones());
        let shown = tests::psql(&fixture.cluster.url("aura_user", "the-app's", &name), &[], "SHOW search_path");
        assert_eq!(shown.line(), "aura, public");
    }
}

#[test]
fn of_failed_tests_a_bounded_number_stays() {
    let fixture = Fixture::new();
    for _ in 0..12 {
        fixture.workspace.testdb(&["panic"]).exits(101);
    }
    let kept = || fixture.clones().iter().filter(|name| name.starts_with("aura_db_test_")).count();
    for _ in 0..100 {
        // That is done beside the tests.
        fixture.workspace.testdb(&["suite", "1", "5"]).exits(0);
        if kept() <= 10 {
            return;
        }
    }
    panic!("{} are kept", kept());
}

#[test]
fn an_edited_migration_is_seen_by_the_next_test() {
    let fixture = Fixture::new().migrated_by_psql();
    let run = fixture.workspace.testdb(&["sql", "SELECT 1 FROM aura.later"]).exits(0);
    assert!(run.stdout.contains("refused: 42P01"), "{}", run.stdout);
    fixture.workspace.write("migrations/V9__later.sql", "CREATE TABLE later ();");
    let run = fixture.workspace.testdb(&["sql", "SELECT 1 FROM aura.later"]).exits(0);
    assert!(!run.stdout.contains("refused"), "{}", run.stdout);
}

#[test]
fn a_schema_of_many_tables_is_proved_too() {
    let Some(fixture) = Fixture::provable().map(Fixture::migrated_by_psql) else { return };
    let tables = (0..300).map(|nth| format!("CREATE TABLE many_{nth} (id bigserial, name text);\n"));
    fixture.workspace.write("migrations/V9__many.sql", tables.collect::<String>());
    let run = fixture.workspace.testdb(&["sql", "INSERT INTO many_299 (name) VALUES ('a')"]).exits(0);
    assert_eq!(finished(&run), "proved");
    let run =
        fixture.workspace.testdb(&["sql", "DO $$BEGIN ASSERT (SELECT count(*) = 0 FROM many_299); END$$"]).exits(0);
    assert!(!run.stdout.contains("refused"), "{}", run.stdout);
}

#[test]
fn migrations_that_fail_are_shown_with_their_error() {
    let fixture = Fixture::new().migrated_by_psql();
    fixture.workspace.write("migrations/V9__wrong.sql", "CREATE TABLE notes_note ();");
    fixture.workspace.testdb(&["sql"]).exits(101).never_says("the-app's").shows("failing-migrations");
}

#[test]
fn without_a_server_the_error_says_how_to_get_one() {
    let workspace = tests::Workspace::new().with("PG_BIN_DIR", "/nowhere").with("PATH", "/nowhere");
    workspace.testdb(&["sql"]).exits(101).shows("no-server");
}

/// As after `export DATABASE_URL=$(cargo xtask db-url)`: the app's role may make no database.
#[test]
fn a_server_started_here_serves_where_its_url_is_exported() {
    let workspace = tests::Workspace::new();
    workspace.run(&["db-setup"]).exits(0);
    let url = workspace.run(&["db-url"]).exits(0).line().to_owned();
    let workspace = workspace.with("DATABASE_URL", &url);
    workspace.testdb(&["sql"]).exits(0);
    let clone = workspace.run(&["db-clone", "one"]).exits(0);
    assert_eq!(tests::psql(clone.line(), &[], "SHOW search_path").line(), "aura, public");
    workspace.run(&["db-drop", "one", "--host", "127.0.0.1", "--yes"]).exits(0).shows("dropped-clone");
}

#[test]
fn a_runtime_is_no_obstacle() {
    let fixture = Fixture::new();
    let run = fixture.workspace.testdb(&["async"]).exits(0);
    assert!(run.stdout.starts_with("aura_db_test_"), "{}", run.stdout);
}

/// As nextest runs them: a process for each test, which ends when that is done.
#[test]
fn a_process_for_each_test_uses_what_the_one_before_gave_back() {
    let Some(fixture) = Fixture::provable() else { return };
    let workspace = &fixture.workspace;
    let one = || {
        let mut command = workspace.testdb_command(&["drop"]);
        command.env("NEXTEST_EXECUTION_MODE", "process-per-test").status().unwrap()
    };
    for _ in 0..5 {
        assert!(one().success());
        fixture.ready();
    }
    let run = workspace.testdb(&["sql"]).exits(0);
    assert_eq!(finished(&run), "proved");
    // The sixth lease of the same.
    assert!(run.stdout.contains("_6 "), "{}", run.stdout);
}

fn held(fixture: &Fixture) -> (Child, String) {
    let mut command = fixture.workspace.testdb_command(&["hold"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
    (child, database(&url))
}

/// The clones, once one of them is gone: that is done beside the tests.
fn swept(fixture: &Fixture, name: &str) -> Vec<String> {
    for _ in 0..100 {
        let clones = fixture.clones();
        if !clones.iter().any(|clone| clone == name) {
            return clones;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        fixture.workspace.testdb(&["suite", "1", "5"]).exits(0);
    }
    panic!("{name} is still there");
}
