//! From nothing: what the migrations make is what the present version of the application has.

use std::thread;

use aura::{Progress, State};
use tests::{Cluster, shows};

use crate::{count, database, migrate};

/// What the 24 tables of the present version (20 of its own, 4 of its framework) are made of: how many of
/// what, the catalog that has it, its column with the table, and which of its rows count.
const COUNTS: &[(&str, i64, &str, &str, &str)] = &[
    ("tables", 24, "pg_class", "oid", "relkind = 'r'"),
    ("indexes", 75, "pg_index", "indrelid", "true"),
    ("columns", 146, "pg_attribute", "attrelid", "attnum > 0 AND NOT attisdropped"),
    ("nullable columns", 21, "pg_attribute", "attrelid", "attnum > 0 AND NOT attnotnull"),
    ("identity columns", 23, "pg_attribute", "attrelid", "attidentity = 'd'"),
    ("defaults", 0, "pg_attrdef", "adrelid", "true"),
    ("primary keys", 24, "pg_constraint", "conrelid", "contype = 'p'"),
    ("unique constraints", 15, "pg_constraint", "conrelid", "contype = 'u'"),
    ("foreign keys", 27, "pg_constraint", "conrelid", "contype = 'f'"),
    (
        "foreign keys checked at commit",
        27,
        "pg_constraint",
        "conrelid",
        "contype = 'f' AND condeferrable AND condeferred AND confdeltype = 'a'",
    ),
    ("checks", 0, "pg_constraint", "conrelid", "contype = 'c'"),
    ("triggers", 0, "pg_trigger", "tgrelid", "NOT tgisinternal"),
];

#[test]
fn from_nothing_everything_is_there_and_again_nothing_is_done() {
    let cluster = Cluster::start();
    let mut client = aura::connect(&database(&cluster, "fresh")).unwrap();
    let before = aura::status(&mut client).unwrap();
    assert!(before.entries.iter().all(|entry| entry.state == State::Pending) && !before.is_complete());
    let told = migrate(&mut client).unwrap();
    let applied: Vec<_> = before.entries.iter().map(|entry| Progress::Applied(entry.label())).collect();
    assert_eq!(told, applied);

    for (what, expected, catalog, table, which) in COUNTS {
        let ours = "SELECT oid FROM pg_class WHERE relnamespace = 'aura'::regnamespace AND relkind = 'r' \
                    AND relname <> 'refinery_schema_history'";
        let found =
            count(&mut client, &format!("SELECT count(*) FROM {catalog} WHERE {table} IN ({ours}) AND {which}"));
        assert_eq!(found, *expected, "{what}");
    }
    let sequences =
        "SELECT count(*) FROM pg_sequences WHERE schemaname = 'aura' AND (start_value, increment_by) = (1, 1)";
    assert_eq!(count(&mut client, sequences), 23);
    let like = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'aura' AND indexdef LIKE '%pattern_ops%'";
    assert_eq!(count(&mut client, like), 7);
    let elsewhere = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(count(&mut client, elsewhere), 0);
    for (list, least) in [("artworks_arttype", 15), ("artworks_support", 40), ("artworks_technique", 60)] {
        assert!(count(&mut client, &format!("SELECT count(*) FROM {list}")) >= least, "{list}");
    }

    let dump = cluster.dump("fresh");
    assert_eq!(migrate(&mut client).unwrap(), [], "nothing is left to do");
    assert!(dump == cluster.dump("fresh"), "and nothing was done");
    assert!(aura::status(&mut client).unwrap().is_complete());
}

#[test]
fn of_eight_at_once_one_applies_and_the_others_wait() {
    let cluster = Cluster::start();
    let url = database(&cluster, "busy");
    let runs: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            thread::spawn(move || migrate(&mut aura::connect(&url).unwrap()).unwrap())
        })
        .collect();
    let told: Vec<_> = runs.into_iter().map(|run| run.join().unwrap()).collect();
    let applied = told.iter().flatten().filter(|progress| matches!(progress, Progress::Applied(_))).count();
    let mut client = aura::connect(&url).unwrap();
    let known = aura::status(&mut client).unwrap().entries.len();
    assert_eq!(applied, known, "each migration was applied once: {told:?}");
    assert_eq!(count(&mut client, "SELECT count(*) FROM refinery_schema_history"), i64::try_from(known).unwrap());
}

#[test]
fn a_lock_that_is_held_for_too_long_is_an_error_with_its_holder() {
    let cluster = Cluster::start();
    let url = database(&cluster, "locked");
    let mut holder = aura::connect(&url).unwrap();
    holder.execute("SET application_name = 'slow one'", &[]).unwrap();
    let lock = "SELECT pg_advisory_lock(1635086945, 'aura'::regnamespace::oid::int)";
    holder.query(lock, &[]).unwrap();
    let mut client = aura::connect(&url).unwrap();
    let mut told = Vec::new();
    let wait = std::time::Duration::from_millis(200);
    let error = aura::migrate(&mut client, wait, &mut |progress| told.push(progress)).unwrap_err();
    assert!(matches!(error, aura::Error::Locked { .. }), "{error}");
    shows("held-lock", &error.to_string());
    assert!(matches!(told.as_slice(), [Progress::Waiting(holder)] if holder.contains("slow one")), "{told:?}");
    drop(holder);
    migrate(&mut client).unwrap();
}
