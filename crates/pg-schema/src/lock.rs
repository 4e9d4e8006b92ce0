//! One setup at a time: an advisory lock on the maintenance database. Roles belong to the whole server
//! and advisory locks to a database, so all must agree on that one.

use std::{
    thread,
    time::{Duration, Instant},
};

use pg_config::Session;
use thiserror::Error;

use crate::{
    Expected,
    query::{SqlError, in_transaction, query, query_one},
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

/// Who holds the locks that the app's sessions in its database, or this session's role, have waited for for some
/// seconds: its process, 0 for a prepared transaction, and words with what ends it.
pub fn blockers(session: &mut Session, expected: &Expected) -> Result<Vec<(i32, String)>, SqlError> {
    let names = [expected.database.as_str(), expected.role.as_str()];
    let rows = in_transaction(session, |session, _| query(session, include_str!("sql/blocked.sql"), &names))?;
    Ok(rows
        .iter()
        .map(|row| {
            let pid: i32 = row.get("pid");
            if pid == 0 {
                let words =
                    "a prepared transaction (see pg_prepared_xacts); COMMIT PREPARED or ROLLBACK PREPARED ends it";
                return (pid, words.to_owned());
            }
            let [role, application, since, state, statement] =
                ["role", "application", "since", "state", "statement"].map(|column| row.get::<_, String>(column));
            let parts = [("role ", role), ("application ", application), ("since ", since), ("", state)];
            let known: Vec<_> = parts
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name}{value}"))
                .collect();
            let statement = summary(&statement);
            let known = known.join(", ");
            (
                pid,
                format!("process {pid} of the server ({known}){statement}; SELECT pg_terminate_backend({pid}) ends it"),
            )
        })
        .collect())
}

/// The beginning of a statement, on one line, without a password.
fn summary(statement: &str) -> String {
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = line.to_ascii_uppercase().find("PASSWORD").unwrap_or(line.len());
    let line: String = line[..end].chars().take(100).collect();
    if line.is_empty() { line } else { format!(": {}", line.trim_end()) }
}

const HOLDER: &str = include_str!("sql/lock_holder.sql");
