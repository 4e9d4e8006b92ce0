//! Sessions that began before the path was set: they keep the old one until they end.

use std::{thread, time::Duration};

use pg_config::Session;
use postgres::error::SqlState;

use crate::{
    Expected, PathLayer,
    query::{SqlError, query},
    remark::PathSet,
};

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

/// Reads them; `winner` is the stored path that counts, `set` what was written down when we set it.
pub(super) fn read(
    session: &mut Session,
    winner: Option<&PathLayer>,
    set: Option<&PathSet>,
    expected: &Expected,
) -> Result<OlderSessions, SqlError> {
    let Some(winner) = winner else { return Ok(OlderSessions::default()) };
    let (since, is_likely) = match (set, &winner.since) {
        (Some(set), _) if set.path == winner.path => (set.at.as_str(), false),
        (_, Some(since)) => (since.as_str(), false),
        (Some(_), None) => ("infinity", true),
        (None, None) => return Ok(OlderSessions::default()),
    };
    let mut sessions = Vec::new();
    // One of our own that has ended may be seen for a moment longer.
    for pause in [0, 20, 80] {
        thread::sleep(Duration::from_millis(pause));
        let rows = match query(session, include_str!("../sql/sessions.sql"), &[expected.role.as_str(), since]) {
            // Somebody wrote a day that there is not.
            Err(error) if error.is(&SqlState::DATETIME_FIELD_OVERFLOW) => break,
            rows => rows?,
        };
        sessions = rows
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
