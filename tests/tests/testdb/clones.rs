//! What a clone has of the original, and `db-clone`.

use crate::fixture::Fixture;

#[test]
fn f36_a_clone_has_all_that_the_original_has() {
    let fixture = Fixture::new();
    fixture.workspace.run(&["db-setup"]).exits(0);
    fixture.workspace.testdb(&["sql"]).exits(0);
    let of = |name: &str| {
        // The digest of the migrations is not a clone's to change.
        fixture.cluster.dump(name).replace(name, "THE_DATABASE")
    };
    let template = fixture
        .cluster
        .value("postgres", "SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE 'aura\\_db\\_template\\_%'");
    let url = fixture.workspace.run(&["db-clone", "f36"]).exits(0);
    assert_eq!(crate::fixture::database(url.line()), "aura_db_clone_f36");
    // The mark that it is ours to drop is all that it has of its own.
    fixture.cluster.sql("postgres", "COMMENT ON DATABASE aura_db_clone_f36 IS NULL");
    let (original, clone) = (of("aura_db"), of("aura_db_clone_f36"));
    assert_eq!(without_times(&original), without_times(&clone));
    let settings = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_db_role_setting s
                    JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase WHERE d.datname = ";
    let count = |name: &str| fixture.cluster.value("postgres", &format!("{settings}'{name}'"));
    assert_eq!(count("aura_db_clone_f36"), count("aura_db"));
    // The server's own way loses them.
    fixture.cluster.sql("postgres", &format!("CREATE DATABASE bare TEMPLATE {template}"));
    assert_eq!(count("bare"), "0");
}

/// When the migrations were run and the path was set is not the same.
fn without_times(dump: &str) -> String {
    let is_time = |word: &str| word.starts_with("20") && word.matches(':').count() >= 2;
    let lines = dump.lines().map(|line| {
        let words = line.split([' ', '\t']).map(|word| if is_time(word) { "TIME" } else { word });
        // A value's time is in two words: 2026-11-29 01:02:03.
        words
            .filter(|word| word.matches('-').count() != 2 && word.matches(':').count() != 2)
            .collect::<Vec<_>>()
            .join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_named_clone_stays_until_it_is_dropped() {
    let fixture = Fixture::new();
    let cloned = fixture.workspace.run(&["db-clone", "one"]).exits(0);
    assert_eq!(tests::psql(cloned.line(), &[], "SELECT count(*) > 5 FROM artworks_arttype").line(), "t");
    assert_eq!(tests::psql(cloned.line(), &[], "SHOW search_path").line(), "aura, public");
    fixture.workspace.run(&["db-clone", "one"]).exits(1).shows("existing-clone");
    fixture.workspace.run(&["db-drop", "one"]).exits(1).shows("no-host");
    fixture.workspace.run(&["db-drop", "one", "--host", "127.0.0.1"]).exits(1).shows("no-yes");
    fixture.workspace.run(&["db-drop", "one", "--host", "127.0.0.1", "--yes"]).exits(0).shows("dropped-clone");
    fixture.workspace.run(&["db-drop", "one", "--host", "127.0.0.1", "--yes"]).exits(0).shows("no-clone");
    fixture.workspace.run(&["db-clone", &"x".repeat(60)]).exits(1).shows("long-name");
}

/// The killed process has made the database, and waits to write its mark.
#[test]
fn a_clone_whose_making_was_cut_is_made_by_the_next_command() {
    let fixture = Fixture::new();
    fixture.workspace.run(&["db-setup"]).exits(0);
    fixture.workspace.run(&["db-clone", "first"]).exits(0);
    let names = "SELECT pg_catalog.string_agg(datname, ' ' ORDER BY datname) FROM pg_catalog.pg_database WHERE datname LIKE 'aura%clon%'";
    for next in ["one", "other"] {
        let before = fixture.cluster.value("postgres", names);
        let mut held = pg_config::connect(&fixture.cluster.superuser()).unwrap();
        held.client.batch_execute("BEGIN; LOCK TABLE pg_catalog.pg_shdescription IN SHARE ROW EXCLUSIVE MODE").unwrap();
        let mut cloning = fixture.workspace.command(&["db-clone", "one"]).spawn().unwrap();
        let waits =
            "FROM pg_catalog.pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'COMMENT ON DATABASE %'";
        while fixture.cluster.value("postgres", &format!("SELECT pg_catalog.count(*) {waits}")) == "0" {
            assert!(cloning.try_wait().unwrap().is_none(), "it ended");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        cloning.kill().unwrap();
        cloning.wait().unwrap();
        // The server goes on with the statement of a client that is gone.
        fixture.cluster.sql("postgres", &format!("SELECT pg_catalog.pg_terminate_backend(pid) {waits}"));
        while fixture.cluster.value("postgres", &format!("SELECT pg_catalog.count(*) {waits}")) != "0" {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        drop(held);
        assert_ne!(fixture.cluster.value("postgres", names), before);
        let url = fixture.workspace.run(&["db-clone", next]).exits(0);
        assert_eq!(tests::psql(url.line(), &[], "SHOW search_path").line(), "aura, public");
        if next == "one" {
            fixture.workspace.run(&["db-drop", "one", "--host", "127.0.0.1", "--yes"]).exits(0);
        }
    }
    assert_eq!(fixture.cluster.value("postgres", names), "aura_db_clone_first aura_db_clone_other");
}

#[test]
fn an_empty_one_has_everything_but_tables() {
    let fixture = Fixture::new();
    let run =
        fixture.workspace.testdb(&["empty", "CREATE TABLE t ()", "SELECT 1 FROM aura.t", "SELECT 1 FROM notes_note"]);
    let run = run.exits(0);
    // The table of the migrations is missing, and only that.
    let refused: Vec<_> = run.stdout.lines().filter(|line| line.starts_with("refused")).collect();
    assert_eq!(refused, ["refused: 42P01"]);
}
