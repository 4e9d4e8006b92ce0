//! Whether a clone that was given back is as it was, but for rows in tables that had none: those are taken out.
//!
//! It rests on the statistics of written relations, which the server keeps from version 15 on in shared memory, and
//! which a session has handed in before it is gone: they begin at nothing for each test, and count what was rolled
//! back too. So whatever is not counted was not written. What else there is, `sql/state.sql` compares.

use std::collections::HashMap;

use pg_config::Session;
use pg_schema::{SqlError, query};

use crate::{baseline::Baseline, session::texts};

/// Why a clone is not used again.
pub(crate) struct NotReusable(pub(crate) String);

impl From<&str> for NotReusable {
    fn from(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl From<SqlError> for NotReusable {
    fn from(error: SqlError) -> Self {
        Self::from(anyhow::Error::from(error))
    }
}

/// What cannot be read is not proved.
impl From<anyhow::Error> for NotReusable {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// A clone is dropped after so many tests: its catalogs and tables only grow.
pub(crate) const MOST_LEASES: u32 = 500;

/// A clone whose written tables are larger is dropped: taking rows out makes no table smaller.
const MOST_BYTES: i64 = 1 << 20;

/// That is looked at after so many rows, and each time that it was leased so often.
const MANY_ROWS: i64 = 1000;
const MANY_LEASES: u32 = 16;

/// The planner's statistics, which are outside: `pg_statistic`, `pg_statistic_ext_data`, and their TOAST tables.
const STATISTICS: [u32; 4] = [2619, 2840, 3429, 3430];

/// How many rows were written in a database since its statistics were set to nothing, whatever the table
/// (`sql/writes.sql`).
#[derive(Clone, Copy)]
pub(crate) struct Writes {
    /// The database's oid.
    pub(crate) database: u32,
    pub(crate) rows: i64,
}

/// Proves it by a session of a superuser in the clone, in which nobody else is and which nobody can find, and in
/// which nothing fires and nothing is counted ([`SETTINGS`]); and makes it ready for the next.
///
/// Such a session has everything to learn, so it is asked for little: only of what may be emptied, how often that was
/// written to. If that is as much as was written in all, nothing else was written to.
pub(crate) fn prove(inside: &mut Session, baseline: &Baseline, writes: Writes, lease: u32) -> Result<(), NotReusable> {
    let tables = baseline.emptied.iter().flat_map(|table| [table.oid, table.toast]);
    let asked = tables.chain(STATISTICS).chain(baseline.sequences.iter().map(|sequence| sequence.0));
    let asked: Vec<_> = asked.filter(|oid| *oid != 0).map(|oid| oid.to_string()).collect();
    let Writes { database, rows: writes } = writes;
    // What is written in between, by autovacuum, shows in the last number.
    let answers = texts(
        inside,
        &format!(
            "SELECT o, pg_catalog.pg_stat_get_tuples_inserted(o), pg_catalog.pg_stat_get_tuples_updated(o), \
             pg_catalog.pg_stat_get_tuples_deleted(o), pg_catalog.pg_stat_get_blocks_fetched(o) \
             FROM pg_catalog.unnest('{{{}}}'::pg_catalog.oid[]) o; \
             SELECT pg_catalog.pg_stat_get_db_tuples_inserted({database}), \
             pg_catalog.pg_stat_get_db_tuples_updated({database}), pg_catalog.pg_stat_get_db_tuples_deleted({database})",
            asked.join(","),
        ),
    )?;
    let numbers: Option<Vec<i64>> = answers.into_iter().map(|text| text?.parse().ok()).collect();
    let numbers = numbers.ok_or("the statistics are no numbers")?;
    let (rows, rest) = numbers.as_chunks::<5>();
    let counted: HashMap<_, _> = rows
        .iter()
        .map(|[oid, inserted, updated, deleted, blocks]| (*oid, (inserted + updated + deleted, *blocks)))
        .collect();
    let known: i64 = counted.values().map(|(written, _)| written).sum();
    if known != writes || rest.iter().sum::<i64>() != writes {
        return Err(NotReusable(format!("written to: {}", others(inside, baseline)?)));
    }
    let of = |oid: u32| counted.get(&i64::from(oid)).copied().unwrap_or_default();
    let written: Vec<_> = baseline.emptied.iter().filter(|table| of(table.oid).0 + of(table.toast).0 != 0).collect();
    // Of a sequence only the reading of its block is counted, with which every change to it begins.
    let moved: Vec<_> = baseline.sequences.iter().filter(|sequence| of(sequence.0).1 != 0).collect();
    if written.is_empty() && moved.is_empty() {
        return Ok(());
    }
    let is_looked_at = writes > MANY_ROWS || lease.is_multiple_of(MANY_LEASES);
    let measured = if is_looked_at { written.as_slice() } else { &[] };
    let sizes = measured.iter().map(|table| format!("SELECT pg_catalog.pg_table_size('{}')", table.oid));
    // Foreign keys are no obstacle: the tables were empty when nothing was written to the others.
    let emptied = written.iter().map(|table| format!("DELETE FROM ONLY {}", table.name));
    let moved =
        moved.iter().map(|(oid, value, is_called)| format!("SELECT pg_catalog.setval('{oid}', {value}, {is_called})"));
    let statements: Vec<_> =
        sizes.chain(emptied).chain(moved).chain(["SELECT pg_catalog.pg_stat_reset()".to_owned()]).collect();
    let answers = texts(inside, &statements.join("; "))?;
    let sizes = answers.iter().take(measured.len()).flatten();
    if sizes.map(|size| size.parse().unwrap_or(i64::MAX)).fold(0, i64::saturating_add) > MOST_BYTES {
        return Err("its tables have grown".into());
    }
    Ok(())
}

/// What was written to and may not be emptied, in words.
fn others(inside: &mut Session, baseline: &Baseline) -> Result<String, NotReusable> {
    let written = query(inside, include_str!("sql/written.sql"), &[])?;
    let is_known = |oid: u32| {
        STATISTICS.contains(&oid) || baseline.emptied.iter().any(|table| [table.oid, table.toast].contains(&oid))
    };
    let others = written.iter().filter(|row| !is_known(row.get("oid"))).map(|row| row.get("name"));
    let others: Vec<String> = others.collect();
    Ok(if others.is_empty() { "the object was dropped, or is being written".to_owned() } else { others.join(", ") })
}

/// What that session starts with: triggers and rules are not fired, foreign keys not looked at; what it writes itself
/// is not counted.
pub(crate) const SETTINGS: [(&str, &str); 4] =
    [("session_replication_role", "replica"), ("track_counts", "off"), ("lock_timeout", "10s"), ("jit", "off")];
