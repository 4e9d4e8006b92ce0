//! One setup at a time: an advisory lock on the maintenance database. Roles belong to the whole server
//! and advisory locks to a database, so all must agree on that one.

use std::{
    thread,
    time::{Duration, Instant},
};

use pg_config::Session;
use thiserror::Error;

use crate::{
    query::{query, query_one},
    sql_error::SqlError,
};

/// `pg-schema` in ASCII, as two numbers of 32 bits.
const KEY: (i32, i32) = (0x7067_2d73, 0x6368_656d);

/// Why the lock was not had.
#[derive(Debug, Error)]
pub enum LockError {
    /// Somebody held it for as long as we waited.
    #[error("another command is at work on this server{holder}, and {} s were not enough to wait for it\n  help: wait longer with --lock-wait SECONDS, or see what it does: SELECT * FROM pg_stat_activity", .waited.as_secs())]
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

/// Takes the lock for as long as the session lives, asking again until `wait` is over. `command` tells others what
/// holds it.
pub(crate) fn acquire(
    session: &mut Session,
    command: &str,
    wait: Duration,
    say: &mut dyn FnMut(&str),
) -> Result<(), LockError> {
    let sql = format!(
        "SELECT pg_catalog.pg_try_advisory_lock({}, {}), pg_catalog.set_config('application_name', $1, false)",
        KEY.0, KEY.1
    );
    let deadline = Instant::now() + wait;
    let mut pause = Duration::from_millis(2);
    let mut waiting = false;
    loop {
        if query_one(session, &sql, &[command])?.get(0) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(LockError::TimedOut { holder: holder(session).unwrap_or_default(), waited: wait });
        }
        if !waiting && pause > Duration::from_millis(100) {
            say(&format!("waiting for another command on this server{}", holder(session).unwrap_or_default()));
            waiting = true;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

/// Whether some session holds it.
pub(crate) fn is_held(session: &mut Session) -> Result<bool, SqlError> {
    Ok(!query(session, HOLDER, &[])?.is_empty())
}

fn holder(session: &mut Session) -> Option<String> {
    let rows = query(session, HOLDER, &[]).ok()?;
    let row = rows.first()?;
    let [command, role, since] = ["command", "role", "since"].map(|column| row.get::<_, String>(column));
    Some(format!(" ({command}process {} of the server, role {role}, since {since})", row.get::<_, i32>("pid")))
}

const HOLDER: &str = include_str!("sql/lock_holder.sql");
