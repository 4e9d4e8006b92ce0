//! One setup at a time: an advisory lock on the maintenance database. Roles belong to the whole server
//! and advisory locks to a database, so all must agree on that one.

use std::{
    thread,
    time::{Duration, Instant},
};

use pg_config::Session;
use thiserror::Error;

use crate::query::{SqlError, query, query_one};

/// `pg-schema` in ASCII, as two numbers of 32 bits.
const KEY: (i32, i32) = (0x7067_2d73, 0x6368_656d);

/// Why the lock was not had.
#[derive(Debug, Error)]
pub enum LockError {
    /// Somebody held it for as long as we waited.
    #[error("another setup is at work on this server{holder}, and {} s were not enough to wait for it\n  help: wait longer with --lock-wait SECONDS, or see what it does: SELECT * FROM pg_stat_activity", .waited.as_secs())]
    TimedOut {
        /// Who holds it, in words that begin with ` (`, or nothing.
        holder: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The server refused.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// Takes the lock for as long as the session lives, asking again until `wait` is over.
pub(crate) fn acquire(session: &mut Session, wait: Duration, say: &mut dyn FnMut(&str)) -> Result<(), LockError> {
    let deadline = Instant::now() + wait;
    let mut pause = Duration::from_millis(2);
    let mut waiting = false;
    loop {
        let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({}, {})", KEY.0, KEY.1);
        if query_one(session, &sql, &[])?.get(0) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(LockError::TimedOut { holder: holder(session).unwrap_or_default(), waited: wait });
        }
        if !waiting && pause > Duration::from_millis(100) {
            say(&format!("waiting for another setup on this server{}", holder(session).unwrap_or_default()));
            waiting = true;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

fn holder(session: &mut Session) -> Option<String> {
    let rows = query(session, include_str!("sql/lock_holder.sql"), &[]).ok()?;
    let row = rows.first()?;
    Some(format!(
        " (process {}, role {}, since {})",
        row.get::<_, i32>(0),
        row.get::<_, String>(1),
        row.get::<_, String>(2)
    ))
}
