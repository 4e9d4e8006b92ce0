//! Whether a clone that was given back is as it was, but for rows in tables that had none: those are taken out.
//!
//! It rests on the statistics of written relations, which the server keeps from version 15 on in shared memory, and
//! which a session has handed in before it is gone: they begin at nothing for each test, and count what was rolled
//! back too. So whatever is not counted was not written. What else there is, `sql/state.sql` compares.

use pg_config::Session;
use pg_schema::{SqlError, execute, query_one};

use crate::template::Facts;

/// Why a clone is not used again.
pub(crate) struct Doubt(pub(crate) String);

impl From<&str> for Doubt {
    fn from(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl From<SqlError> for Doubt {
    fn from(error: SqlError) -> Self {
        Self::from(anyhow::Error::from(error))
    }
}

/// What cannot be looked at is in doubt.
impl From<anyhow::Error> for Doubt {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// A clone is dropped after so many tests: its catalogs and tables only grow.
pub(crate) const MOST_LEASES: u32 = 500;

/// A clone whose written tables are larger is dropped: taking rows out makes no table smaller.
const MOST_BYTES: i64 = 1 << 20;

/// Proves it by a session of a superuser in the clone, in which nobody else is and which nobody can find; and makes
/// it ready for the next.
pub(crate) fn prove(inside: &mut Session, facts: &Facts) -> Result<(), Doubt> {
    let row = query_one(inside, include_str!("sql/proof.sql"), &[&facts.emptied])?;
    if let Some(written) = row.get::<_, Option<String>>("doubt") {
        return Err(Doubt(format!("written to: {written}")));
    }
    if row.get::<_, i64>("bytes") > MOST_BYTES {
        return Err("its tables have grown".into());
    }
    let tables: Vec<String> = row.get("tables");
    // Foreign keys are no obstacle: the tables were empty when nothing was written to the others.
    let mut statements = vec!["SET session_replication_role = replica".to_owned()];
    statements.extend(tables.iter().map(|table| format!("DELETE FROM ONLY {table}")));
    // Sequences are counted nowhere.
    let values = facts.sequences.iter().map(|(oid, value, is_called)| {
        format!("pg_catalog.setval({oid}::pg_catalog.oid::pg_catalog.regclass, {value}, {is_called})")
    });
    let values: Vec<_> = values.collect();
    statements.extend(values.chunks(100).map(|values| format!("SELECT {}", values.join(", "))));
    statements.push("SELECT pg_catalog.pg_stat_force_next_flush()".to_owned());
    execute(inside, &statements.join("; "))?;
    // What this session has written is handed in by now; from here on it writes no more.
    execute(inside, "SELECT pg_catalog.pg_stat_reset()")?;
    Ok(())
}
