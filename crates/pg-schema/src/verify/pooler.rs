//! What stands between us and the server, and keeps things from each other's sessions: a connection pooler.

use pg_config::{ConnInfo, ConnectError, Options, connect};
use postgres::error::SqlState;

use super::path::arrives;
use crate::{Access, Expected, Facts, query::ANSWER, report::Check};

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

/// Whether there is PgBouncer's console, a database of its own. It keeps us out by other words than a server
/// has for a database that is not there.
pub(crate) fn has_console(info: &ConnInfo) -> bool {
    let console = ConnInfo { options: Options::default(), ..info.with_database("pgbouncer") };
    match connect(&console) {
        Ok(mut session) => session.ask(ANSWER, |client| client.simple_query("SHOW VERSION")).is_ok(),
        Err(ConnectError::Refused { error, .. }) => *error.code() == SqlState::PROTOCOL_VIOLATION,
        Err(_) => false,
    }
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

/// What to do about options that a pooler does not let through.
pub(crate) fn advice(expected: &Expected) -> String {
    format!(
        "leave options out of the connection string; role {}'s own search_path, which cargo xtask db-setup sets, gives the path",
        expected.role
    )
}
