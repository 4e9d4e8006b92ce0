//! A COMMIT whose answer is lost: a new session asks what became of the transaction.

use std::{thread, time::Duration};

use pg_config::Session;

use crate::{
    query::{execute_at_once, query_one},
    sql_error::SqlError,
};

/// Why a transaction is not known to be committed.
pub(crate) enum NotCommitted {
    /// It was rolled back.
    RolledBack(SqlError),
    /// The answer was lost, and nothing tells what became of it.
    Unknown(SqlError),
}

/// Commits. Where the answer is lost, a session of `again` takes the place of this one, and is asked.
pub(crate) fn commit(session: &mut Session, again: &mut dyn FnMut() -> Option<Session>) -> Result<(), NotCommitted> {
    let transaction = transaction_id(session).map_err(NotCommitted::RolledBack)?;
    let Err(error) = execute_at_once(session, "COMMIT") else { return Ok(()) };
    let Some(transaction) = transaction.filter(|_| error.is_final()) else {
        return Err(NotCommitted::RolledBack(error));
    };
    let fate = again().and_then(|new| {
        *session = new;
        fate(session, &transaction)
    });
    match fate.as_deref() {
        Some("committed") => Ok(()),
        Some("aborted") => {
            Err(NotCommitted::RolledBack(SqlError { statement: "COMMIT, which was rolled back".to_owned(), ..error }))
        }
        _ => Err(NotCommitted::Unknown(error)),
    }
}

/// The id of the session's transaction; none where it has changed nothing.
fn transaction_id(session: &mut Session) -> Result<Option<String>, SqlError> {
    let sql = "SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text";
    Ok(query_one(session, sql, &[])?.get(0))
}

/// What became of a transaction: `committed`, `aborted`, `in progress`, or nothing where it is too old.
pub(crate) fn fate(session: &mut Session, transaction: &str) -> Option<String> {
    let sql = "SELECT pg_catalog.pg_xact_status($1::pg_catalog.xid8)";
    for _ in 0..LOOKS {
        let found: Option<String> = query_one(session, sql, &[transaction]).ok()?.get(0);
        if found.as_deref() != Some("in progress") {
            return found;
        }
        thread::sleep(PAUSE);
    }
    None
}

/// The server goes on with a COMMIT whose client has gone, until it has answered.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);
