//! A record that does not agree with the program stops it, and is named.

use aura::{Error, State};
use tests::Cluster;

use crate::{migrate, migrated};

#[test]
fn each_disagreement_is_named_and_nothing_is_changed() {
    let cluster = Cluster::start();
    let mut said = String::new();
    for (name, breaks, state) in [
        ("changed", "UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1", "Changed"),
        ("renamed", "UPDATE refinery_schema_history SET name = 'another' WHERE version = 2", "Changed"),
        ("unknown", "INSERT INTO refinery_schema_history VALUES (99, 'later', '2026-01-01T00:00:00Z', '1')", "Missing"),
        ("removed", "DELETE FROM refinery_schema_history WHERE version = 1", "Skipped"),
    ] {
        let mut client = migrated(&cluster, name);
        client.batch_execute(breaks).unwrap();
        let before = cluster.dump(name);
        let error = migrate(&mut client).unwrap_err();
        said += &format!("{name}: {error}\n");
        assert!(matches!(error, Error::History { .. }), "{name}: {error}");
        assert!(before == cluster.dump(name), "{name}: something was changed");
        let status = aura::status(&mut client).unwrap();
        assert!(
            status.entries.iter().any(|entry| format!("{:?}", entry.state).starts_with(state)),
            "{name}: {status:?}"
        );
        assert!(!status.is_complete());
    }
    tests::shows("disagreements", &said);
}

#[test]
fn a_time_that_is_none_is_an_error() {
    let cluster = Cluster::start();
    let mut client = migrated(&cluster, "time");
    client.batch_execute("UPDATE refinery_schema_history SET applied_on = 'yesterday' WHERE version = 1").unwrap();
    tests::shows("broken-time", &migrate(&mut client).unwrap_err().to_string());
}

#[test]
fn a_removed_last_row_is_applied_again_and_alters_no_row() {
    let cluster = Cluster::start();
    let mut client = migrated(&cluster, "last");
    client.batch_execute("DELETE FROM refinery_schema_history WHERE version = 2; UPDATE artworks_support SET created_at = '2019-01-01'").unwrap();
    migrate(&mut client).unwrap();
    assert!(matches!(aura::status(&mut client).unwrap().entries[1].state, State::Applied(_)));
    let new = "SELECT count(*) FROM artworks_support WHERE created_at <> '2019-01-01'";
    assert_eq!(crate::count(&mut client, new), 0);
}
