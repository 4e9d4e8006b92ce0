//! A COMMIT whose answer is lost: a new session asks what became of the transaction.

use std::{thread, time::Duration};

use pg_config::Session;

use crate::{query::query_one, sql_error::SqlError};

/// The id of the session's transaction; none where it has changed nothing.
pub(crate) fn transaction_id(session: &mut Session) -> Result<Option<String>, SqlError> {
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
