//! Connection poolers: how one shows itself, and what to do about what it does not let through.

use pg_config::{ConnInfo, ConnectError, Options, connect};
use postgres::error::SqlState;

use crate::{Expected, query::ANSWER};

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

/// What to do about options that a pooler does not let through.
pub(crate) fn advice(expected: &Expected) -> String {
    format!(
        "leave options out of the connection string; role {}'s own search_path, which cargo xtask db-setup sets, gives the path",
        expected.role
    )
}
