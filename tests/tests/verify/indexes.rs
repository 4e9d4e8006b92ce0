//! Indexes and constraints that do not do their work.

use tests::{Cluster, Workspace, psql};

use crate::case::{CASE, Case, Fix, Setup, cases, set_up};

/// `db-setup` changes no constraint and no index: it ends with the same warning.
const WARNED: Setup = Setup::Warns(&["invalid-indexes"]);

cases! {
    mod not_valid;

    fn check_constraint() = Case {
        breaks: "ALTER TABLE aura.notes_note ADD CONSTRAINT has_title CHECK (title <> '') NOT VALID",
        warns: &["invalid-indexes"],
        setup: WARNED,
        ..CASE
    };

    fn foreign_key_and_domain() = Case {
        breaks: "SET ROLE aura_user; CREATE TABLE aura.lent (note bigint); \
                 ALTER TABLE aura.lent ADD CONSTRAINT of_note FOREIGN KEY (note) REFERENCES aura.notes_note NOT VALID; \
                 CREATE DOMAIN aura.\"Short\" AS text; \
                 ALTER DOMAIN aura.\"Short\" ADD CONSTRAINT \"is short\" CHECK (length(VALUE) < 9) NOT VALID",
        warns: &["invalid-indexes"],
        setup: WARNED,
        ..CASE
    };

    fn partitioned_index_without_a_partition() = Case {
        breaks: "SET ROLE aura_user; CREATE TABLE aura.visit (id int) PARTITION BY LIST (id); \
                 CREATE TABLE aura.visit_1 PARTITION OF aura.visit FOR VALUES IN (1); \
                 CREATE INDEX visit_id ON ONLY aura.visit (id)",
        warns: &["invalid-indexes"],
        fix: Fix::Person,
        setup: WARNED,
        ..CASE
    };
}

#[test]
fn an_index_that_could_not_be_built() {
    let (cluster, workspace) = set_up(&CASE);
    let app = cluster.url("aura_user", "the-app's", "aura_db");
    psql(&app, &["-c", "CREATE TABLE lent (id int)", "-c", "INSERT INTO lent VALUES (1), (1)"], "").exits(0);
    psql(&app, &["-c", "CREATE UNIQUE INDEX CONCURRENTLY lent_id ON lent (id)"], "").exits(1);

    let run = workspace.verify().exits(0);
    assert_eq!(run.with_status("warn"), ["invalid-indexes"]);
    assert_eq!(run.fix("invalid-indexes"), "REINDEX INDEX aura.lent_id;");
    // The rows still prevent it. All else is fixed.
    cluster.sql("aura_db", "REVOKE DELETE ON aura.notes_note FROM aura_user");
    let fixed = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(0).shows("duplicate-rows");
    assert_eq!(fixed.with_status("warn"), ["invalid-indexes"]);
    assert!(fixed.with_status("fail").is_empty());
    psql(&app, &["-c", "DELETE FROM lent WHERE ctid = '(0,1)'"], "").exits(0);
    workspace.run(&["db-verify", "--fix"]).exits(0);
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());

    // What REINDEX CONCURRENTLY leaves behind is dropped by a person.
    psql(&app, &["-c", "DROP INDEX lent_id", "-c", "INSERT INTO lent VALUES (1)"], "").exits(0);
    psql(&app, &["-c", "CREATE UNIQUE INDEX CONCURRENTLY lent_id_ccnew ON lent (id)"], "").exits(1);
    let run = workspace.run(&["db-verify", "--fix", "--format", "json"]).exits(0);
    assert_eq!(run.fix("invalid-indexes"), "DROP INDEX aura.lent_id_ccnew;");
    psql(&app, &["-c", &run.fix("invalid-indexes")], "").exits(0);
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}

#[test]
fn an_index_that_is_being_built_is_not_touched() {
    let (cluster, workspace) = set_up(&CASE);
    let app = cluster.url("aura_user", "the-app's", "aura_db");
    psql(&app, &["-c", "CREATE TABLE lent (id int)"], "").exits(0);
    // It waits for a transaction that may have seen the table.
    let mut other = pg_config::connect(&tests::connection(&app)).unwrap();
    other.client.batch_execute("BEGIN; SELECT FROM lent; UPDATE lent SET id = 1").unwrap();
    std::thread::scope(|scope| {
        let building = scope.spawn(|| psql(&app, &["-c", "CREATE INDEX CONCURRENTLY lent_id ON lent (id)"], ""));
        let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
        while cluster.value("aura_db", invalid) == "0" {
            std::thread::yield_now();
        }
        let run = workspace.verify().exits(0).shows("index-in-work");
        assert_eq!(run.fix("invalid-indexes"), "");
        other.client.batch_execute("COMMIT").unwrap();
        building.join().unwrap().exits(0);
    });
    assert!(workspace.verify().exits(0).with_status("warn").is_empty());
}

cases! {
    mod collation_of_another_library;

    fn of_a_column() = Case {
        breaks: "SET ROLE aura_user; CREATE TABLE aura.sorted (name text COLLATE \"en-x-icu\" PRIMARY KEY); \
                 CREATE INDEX by_name ON aura.sorted (name COLLATE \"de-x-icu\"); RESET ROLE; \
                 UPDATE pg_collation SET collversion = '1.1' WHERE collname IN ('en-x-icu', 'de-x-icu')",
        warns: &["invalid-indexes"],
        fix: Fix::ByHand,
        setup: WARNED,
        ..CASE
    };
}

/// The indexes are named, and the version is written down last.
#[test]
fn the_collation_of_the_database_is_of_another_library() {
    let cluster = Cluster::start();
    let version: u32 = cluster.value("postgres", "SHOW server_version_num").parse().unwrap();
    if version < 150_000 {
        return;
    }
    cluster.sql(
        "postgres",
        "CREATE DATABASE aura_db ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C' TEMPLATE template0",
    );
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(workspace.verify().exits(0).with_status("warn"), [""; 0]);
    cluster.sql("postgres", "UPDATE pg_database SET datcollversion = '1.1' WHERE datname = 'aura_db'");
    let run = workspace.verify().exits(0);
    assert_eq!(run.with_status("warn"), ["invalid-indexes"], "{}", run.stdout);
    assert!(run.message("invalid-indexes").contains("the collation of database aura_db has version"), "{}", run.stdout);
    let fix = run.fix("invalid-indexes");
    assert!(fix.contains("REINDEX INDEX aura."), "{fix}");
    assert!(fix.ends_with("ALTER DATABASE aura_db REFRESH COLLATION VERSION;"), "{fix}");
    // `--fix` leaves it to a person.
    workspace.run(&["db-verify", "--fix"]).exits(0);
    assert_eq!(workspace.verify().exits(0).with_status("warn"), ["invalid-indexes"]);
    psql(&cluster.superuser().with_database("aura_db").url(), &["-v", "ON_ERROR_STOP=1"], &fix).exits(0);
    assert_eq!(workspace.verify().exits(0).with_status("warn"), [""; 0]);
}
