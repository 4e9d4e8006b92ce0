//! The advisory locks by which test processes agree, in the maintenance database. Each has two keys: what it is for, and
//! which one it is.

use pg_config::Session;
use pg_schema::{SqlError, execute_at_once, query_one};

/// Making a template; the second key is the digest's.
pub(crate) const TEMPLATES: i32 = 0x7465_6d70;

/// Making a clone that has a name of its own; the second key is the digest's.
pub(crate) const NAMED_CLONES: i32 = 0x636c_6f6e;

/// Owning a clone; the second key stands in its name.
pub(crate) const CLONES: i32 = 0x7465_7374;

/// Places: as many databases as may be in use at once.
pub(crate) const PLACES: i32 = 0x706c_6163;

/// Takes a lock for as long as the session lives; `false` where another session has it.
pub(crate) fn try_lock(session: &mut Session, first: i32, second: i32) -> Result<bool, SqlError> {
    let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({first}, {second})");
    Ok(query_one(session, &sql, &[])?.get(0))
}

/// Gives it back.
pub(crate) fn unlock(session: &mut Session, first: i32, second: i32) -> Result<(), SqlError> {
    execute_at_once(session, &format!("SELECT pg_catalog.pg_advisory_unlock({first}, {second})"))
}

/// The second key of a digest: seven of its twelve digits, as many as a positive number has.
pub(crate) fn of_digest(digest: &str) -> i32 {
    i32::from_str_radix(&digest[..7], 16).unwrap_or_default()
}
