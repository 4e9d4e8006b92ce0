//! What stands between us and the server, and keeps things from each other's sessions: a connection pooler.

use pg_config::{ConnInfo, ConnectError};

use super::path::arrives;
use crate::{
    Access, Expected, Facts,
    pooler::{advice, has_console},
    report::Check,
};

/// What shows that there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooler {
    /// PgBouncer answers by its own name.
    PgBouncer,
    /// The server's process has served others before us.
    Unknown,
}

/// Looks for a pooler, by a connection of its own.
pub(super) fn look(facts: &Facts, access: &Access) -> Option<Pooler> {
    match access.may_be_pooled && has_console(&access.app) {
        true => Some(Pooler::PgBouncer),
        false => shown_by(facts),
    }
}

/// A pooler that shows itself by the session alone.
pub(super) fn shown_by(facts: &Facts) -> Option<Pooler> {
    facts.is_served_by_older.then_some(Pooler::Unknown)
}

pub(super) fn pooler(facts: &Facts, found: Option<Pooler>, app: &ConnInfo, expected: &Expected) -> Check {
    let id = "pooler";
    let name = match found {
        Some(Pooler::PgBouncer) => "PgBouncer",
        Some(Pooler::Unknown) | None => "a connection pooler",
    };
    if let Some(path) = app.options.get("search_path").filter(|path| !arrives(facts, path)) {
        let message = format!(
            "the connection string's options do not arrive: the path is {}, not {path}; {name} in between drops them: {}",
            facts.search_path,
            advice(expected)
        );
        return Check::fail(id, message);
    }
    match found {
        None => Check::pass(id, "no connection pooler shows itself between here and the server"),
        Some(_) => Check::warn(
            id,
            format!(
                "{name} stands between here and the server: where it pools by transactions, what one session sets or locks another meets; let ADMIN_DATABASE_URL lead to the server itself, and set up by a DATABASE_URL that does too"
            ),
        ),
    }
}

/// Where a parameter of the connection string was refused by who stands in between.
pub(super) fn refused(error: &ConnectError, expected: &Expected) -> Check {
    let message = format!("{error}: a connection pooler such as PgBouncer is in between: {}", advice(expected));
    Check::fail("pooler", message)
}
