//! Connection poolers between the app and the server, which keep things from each other's sessions.

use pg_config::{ConnInfo, ConnectError};

use super::{Definition, Look};
use crate::{
    Expected, Facts, path,
    pooler::{advice, has_console},
    report::Check,
};

const ID: &str = "pooler";

pub(super) const CHECK: Definition = Definition {
    id: ID,
    explanation: include_str!("explain.md"),
    look: |look| Ok(judge(look.facts, find(look), look.app, look.expected)),
};

/// What shows that there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pooler {
    /// PgBouncer answers by its own name.
    PgBouncer,
    /// The server's process has served others before us.
    Unknown,
}

/// Looks for one; where it may have a console, by a connection of its own.
fn find(look: &Look<'_>) -> Option<Pooler> {
    match look.may_be_pooled && has_console(look.app) {
        true => Some(Pooler::PgBouncer),
        false => look.facts.is_served_by_older.then_some(Pooler::Unknown),
    }
}

fn judge(facts: &Facts, found: Option<Pooler>, app: &ConnInfo, expected: &Expected) -> Check {
    let name = match found {
        Some(Pooler::PgBouncer) => "PgBouncer",
        Some(Pooler::Unknown) | None => "a connection pooler",
    };
    if let Some(path) = app.options.get("search_path").filter(|path| !path::arrives(path, &facts.path.of_session)) {
        let message = format!(
            "the connection string's options do not arrive: the path is {}, not {path}; {name} in between drops them: {}",
            facts.path.of_session,
            advice(expected)
        );
        return Check::fail(ID, message);
    }
    match found {
        None => Check::pass(ID, "no connection pooler shows itself between here and the server"),
        Some(_) => Check::warn(
            ID,
            format!(
                "{name} stands between here and the server: where it pools by transactions, settings and locks leak between sessions; let ADMIN_DATABASE_URL lead to the server itself, and set up by a DATABASE_URL that does too"
            ),
        ),
    }
}

/// Where a parameter of the connection string was refused by who stands in between.
pub(crate) fn refused(error: &ConnectError, expected: &Expected) -> Check {
    let message =
        format!("{}: a connection pooler such as PgBouncer is in between: {}", error.in_one_line(), advice(expected));
    Check::fail(ID, message)
}
