//! Sessions with more rights than the app's: nothing that is stored in the server decides what they run.

use std::time::Duration;

use crate::{
    ConnInfo, ConnectError, Rights, Session,
    connect::{CONNECT_TIMEOUT, open},
};

/// What such a session starts with. Settings of the startup packet win over those that are stored for roles and
/// databases (the manual's section 20.1, "Parameter Interaction via the Configuration File").
const SETTINGS: [(&str, &str); 10] = [
    // An operator or a function that somebody has put into another schema is never found (CVE-2018-1058).
    ("search_path", "pg_catalog, pg_temp"),
    // ALTER DATABASE … SET role = app would make the app's role of it.
    ("role", "none"),
    ("client_min_messages", "notice"),
    ("standard_conforming_strings", "on"),
    ("transform_null_equals", "off"),
    // How names and times are written.
    ("quote_all_identifiers", "off"),
    ("DateStyle", "ISO, MDY"),
    ("default_transaction_read_only", "off"),
    // Somebody may have locked a catalog. In ms: SET takes no unit without quotes.
    ("lock_timeout", "10000"),
    // Catalog queries look expensive to the planner; compiling them would cost more than running them does.
    ("jit", "off"),
];

/// Opens a session that reads the catalog and runs DDL with an administrator's rights. Tries again until `wait` is
/// over, as [`connect_within`](crate::connect_within) does; with no time, once.
///
/// Where the settings are refused in the startup packet, by PgBouncer or by an event trigger of the login that finds
/// nothing by such a path, they are the first that the session is told.
pub fn connect_administrator(info: &ConnInfo, wait: Duration) -> Result<Session, ConnectError> {
    let mut session = open_safely(info, wait)?;
    session.rights = Rights::Administrator;
    Ok(session)
}

fn open_safely(info: &ConnInfo, wait: Duration) -> Result<Session, ConnectError> {
    let mut started = info.clone();
    for (name, value) in settings(info) {
        started.options = started.options.with(name, value);
    }
    match open(&started, wait) {
        Err(error) if error.is_refused_parameter() || is_of_a_trigger(&error) => {
            let mut session = open(info, wait)?;
            let statements: Vec<_> = settings(info).map(|(name, value)| format!("SET {name} TO {value}")).collect();
            match session.ask(CONNECT_TIMEOUT, |client| client.batch_execute(&statements.join("; "))) {
                Ok(()) => Ok(session),
                // What refused the session is the cause.
                Err(_) => Err(error),
            }
        }
        outcome => outcome,
    }
}

/// Those that the connection string does not set on purpose.
fn settings(info: &ConnInfo) -> impl Iterator<Item = (&'static str, &'static str)> {
    let has_role = info.options.get("role").is_some();
    SETTINGS.into_iter().filter(move |(name, _)| !(has_role && *name == "role"))
}

/// Whether the login failed by a name that was not found: class 42, but not for want of a privilege.
fn is_of_a_trigger(error: &ConnectError) -> bool {
    let code = error.code().map(postgres::error::SqlState::code);
    code.is_some_and(|code| code.starts_with("42") && code != "42501")
}
