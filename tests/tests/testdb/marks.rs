//! Only what carries our mark is dropped, or handed out: a name anybody may choose.

use crate::fixture::{Fixture, database};

/// Databases that are called as ours: of a clone of each state, of a template that is made, and of one for a person.
const NAMES: [&str; 5] = [
    "aura_db_test_0123456789ab_00000001_1",
    "aura_db_used_0123456789ab_00000002_1",
    "aura_db_ready_0123456789ab_00000003_1",
    "aura_db_building_0123456789ab",
    "aura_db_clone_mine",
];

/// What their marks would be.
const MARKS: [&str; 5] =
    ["clone 00000001", "clone 00000002", "clone 00000003", "building 0123456789ab", "db-clone mine"];

/// A server that we did not start, where another role has made databases by these names.
fn planted(owner: &str, mark: impl Fn(&str) -> String) -> Fixture {
    let fixture = Fixture::new();
    fixture.cluster.sql("postgres", "CREATE ROLE stranger CREATEDB");
    for (name, what) in NAMES.iter().zip(MARKS) {
        fixture.cluster.sql("postgres", &format!("CREATE DATABASE {name} OWNER {owner}"));
        fixture.cluster.sql("postgres", &format!("COMMENT ON DATABASE {name} IS {}", mark(what)));
    }
    fixture
}

/// What is written on a database, as SQL, given what it would be marked as.
type Written = fn(&str) -> String;

fn assert_all_there(fixture: &Fixture) {
    let there = "SELECT pg_catalog.string_agg(datname::text, ' ') FROM pg_catalog.pg_database";
    let there = fixture.cluster.value("postgres", there);
    for name in NAMES {
        assert!(there.split(' ').any(|found| found == name), "{name} is gone: {there}");
    }
}

fn forged(what: &str) -> String {
    format!("'pg-testdb, project aura: {what}'")
}

#[test]
fn what_is_only_named_so_stays_and_is_told() {
    let situations: [(&str, &str, Written); 4] = [
        ("unmarked", "postgres", |_| "NULL".to_owned()),
        ("another-role-forges-the-mark", "stranger", forged),
        ("marked-as-something-else", "postgres", |_| forged("clone 0000000f")),
        ("of-another-project", "postgres", |what| format!("'pg-testdb, project shop: {what}'")),
    ];
    for (situation, owner, mark) in situations {
        let fixture = planted(owner, mark);
        fixture.workspace.testdb(&["suite", "2", "6"]).exits(0);
        let cloned = fixture.workspace.run(&["db-clone", "one"]).exits(0);
        assert_all_there(&fixture);
        // All but the last, which nobody would sweep.
        for name in &NAMES[..4] {
            cloned.said(&format!("warning: database {name} is not dropped"));
        }
        let name = ["db-drop", "mine", "--host", "127.0.0.1", "--yes"];
        fixture.workspace.run(&name).exits(1).shows(situation);
        assert_all_there(&fixture);
        // What it says to do is enough.
        fixture.cluster.sql("postgres", "DROP DATABASE aura_db_clone_mine");
        fixture.workspace.run(&name).exits(0);
        fixture.workspace.run(&["db-drop", "one", "--host", "127.0.0.1", "--yes"]).exits(0);
    }
}

/// The same with the mark and the owner are ours: those of a process that was killed.
#[test]
fn what_carries_the_mark_is_swept() {
    let fixture = planted("postgres", forged);
    fixture.workspace.run(&["db-clone", "one"]).exits(0).never_says("is not dropped");
    let there = "SELECT coalesce(pg_catalog.string_agg(datname::text, ' '), '') FROM pg_catalog.pg_database \
                 WHERE datname LIKE '%0123456789ab%'";
    assert_eq!(fixture.cluster.value("postgres", there), "");
    fixture.workspace.run(&["db-drop", "mine", "--host", "127.0.0.1", "--yes"]).exits(0);
}

#[test]
fn a_database_that_another_role_offers_is_handed_to_no_test() {
    let fixture = Fixture::new();
    fixture.workspace.testdb(&["sql"]).exits(0);
    let digest = "SELECT pg_catalog.right(datname::text, 12) FROM pg_catalog.pg_database WHERE datname LIKE 'aura\\_db\\_template\\_%'";
    let digest = fixture.cluster.value("postgres", digest);
    let drop_clones = fixture.clones().iter().map(|name| format!("DROP DATABASE {name};")).collect::<Vec<_>>();
    drop_clones.iter().for_each(|statement| fixture.cluster.sql("postgres", statement));
    let offered = format!("aura_db_ready_{digest}_00000001_1");
    fixture.cluster.sql("postgres", "CREATE ROLE stranger CREATEDB");
    fixture.cluster.sql("postgres", &format!("CREATE DATABASE {offered} OWNER stranger"));
    fixture.cluster.sql("postgres", &format!("COMMENT ON DATABASE {offered} IS {}", forged("clone 00000001")));
    let run = fixture.workspace.testdb(&["sql"]).exits(0);
    assert!(!run.stdout.contains("_00000001_"), "{}", run.stdout);
    assert!(fixture.clones().contains(&offered));
}

/// Another role makes the template's name first: its content is not what tests get.
#[test]
fn a_template_of_another_role_is_none_of_ours() {
    let fixture = Fixture::new();
    fixture.workspace.testdb(&["sql"]).exits(0);
    let template = "SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE 'aura\\_db\\_template\\_%'";
    let template = fixture.cluster.value("postgres", template);
    fixture.clones().iter().for_each(|name| fixture.cluster.sql("postgres", &format!("DROP DATABASE {name}")));
    fixture.cluster.sql("postgres", "CREATE ROLE stranger CREATEDB");
    fixture.cluster.sql("postgres", &format!("ALTER DATABASE {template} OWNER TO stranger"));
    let run = fixture.workspace.testdb(&["sql"]).exits(101);
    assert!(run.stderr.contains(&template), "{}", run.stderr);
}

/// On a server that we started nobody else makes databases: those that an earlier version made carry no mark.
#[test]
fn on_a_server_of_ours_what_is_unmarked_is_ours_too() {
    let workspace = tests::Workspace::new();
    workspace.run(&["db-setup"]).exits(0);
    let admin = workspace.run(&["db-url", "--admin"]).exits(0).line().to_owned();
    let url = workspace.run(&["db-clone", "old"]).exits(0).line().to_owned();
    let name = database(&url);
    for (comment, code) in [("'of a person'", 1), ("NULL", 0)] {
        tests::psql(&admin, &[], &format!("COMMENT ON DATABASE {name} IS {comment}")).exits(0);
        workspace.run(&["db-drop", "old", "--yes"]).exits(code);
    }
}
