//! Sessions that began before the path was set: they keep the old one until they end.

use std::{thread, time::Duration};

use pg_config::Session;

use crate::{Expected, Facts, query::query, sql_error::SqlError, transaction::in_transaction};

/// A session of the app's role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OlderSession {
    /// The process id of its backend.
    pub pid: i32,
    /// When it began, as the server prints it.
    pub since: String,
    /// What it calls itself, or nothing.
    pub application_name: String,
}

/// Sessions of the app's role that may have another path than a new one would have.
#[derive(Clone, Debug, Default)]
pub struct OlderSessions {
    /// The sessions, the oldest first.
    pub sessions: Vec<OlderSession>,
    /// Whether the path was set by somebody else since we last did, nobody knows when: then it is only
    /// likely that they are older.
    pub is_likely: bool,
}

/// Reads them by the app's own session, whose facts these are.
pub fn older_sessions(session: &mut Session, facts: &Facts, expected: &Expected) -> Result<OlderSessions, SqlError> {
    in_transaction(session, |session, _| read(session, facts, expected))
}

/// Reads them, in a transaction of the session whose facts these are.
pub(super) fn read(session: &mut Session, facts: &Facts, expected: &Expected) -> Result<OlderSessions, SqlError> {
    let Some(winner) = facts.path.layers.first() else { return Ok(OlderSessions::default()) };
    let set = facts.schema.as_ref().and_then(|schema| schema.remark.path.as_ref());
    let (since, is_likely) = match (set, &winner.since) {
        (Some(set), _) if set.path == winner.path => (set.at.as_str(), false),
        (_, Some(since)) => (since.as_str(), false),
        (Some(_), None) => ("infinity", true),
        (None, None) => return Ok(OlderSessions::default()),
    };
    let mut sessions = Vec::new();
    // One of our own that has ended may be seen for a moment longer.
    for pause in [0, 20, 80] {
        if pause > 0 {
            thread::sleep(Duration::from_millis(pause));
            // Else a transaction is shown the same sessions again.
            query(session, "SELECT pg_catalog.pg_stat_clear_snapshot()", &[])?;
        }
        sessions = query(session, include_str!("sessions.sql"), &[expected.role.as_str(), since])?
            .iter()
            .map(|row| OlderSession {
                pid: row.get("pid"),
                since: row.get("since"),
                application_name: row.get::<_, Option<String>>("application_name").unwrap_or_default(),
            })
            .collect::<Vec<_>>();
        if sessions.is_empty() {
            break;
        }
    }
    Ok(OlderSessions { sessions, is_likely })
}
