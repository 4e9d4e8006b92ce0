//! Sessions of the administrator, and where they may be used.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use pg_config::{ConnectError, Session};
use postgres::{Row, SimpleQueryMessage, types::ToSql, types::Type};

/// One query whose parameters are all text: one round trip.
pub(crate) fn query(session: &mut Session, sql: &str, parameters: &[&str]) -> anyhow::Result<Vec<Row>> {
    let typed: Vec<(&(dyn ToSql + Sync), Type)> =
        parameters.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
    session.client.query_typed(sql, &typed).map_err(|error| told(sql, &error))
}

/// The one row of a query that always gives one.
pub(crate) fn query_one(session: &mut Session, sql: &str, parameters: &[&str]) -> anyhow::Result<Row> {
    query(session, sql, parameters)?.into_iter().next().with_context(|| format!("no row: {}", first_line(sql)))
}

/// Statements that give no rows; several are one transaction.
pub(crate) fn execute(session: &mut Session, sql: &str) -> anyhow::Result<()> {
    session.client.batch_execute(sql).map_err(|error| told(sql, &error))
}

/// Statements that are one transaction, and every text that they give.
pub(crate) fn texts(session: &mut Session, sql: &str) -> anyhow::Result<Vec<Option<String>>> {
    let messages = session.client.simple_query(sql).map_err(|error| told(sql, &error))?;
    let texts = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned))),
        _ => None,
    });
    Ok(texts.flatten().collect())
}

/// A connection that waits for its turn where the server has as many as it takes (53300).
pub(crate) fn in_turn(
    wait: Duration,
    connect: impl Fn() -> Result<Session, ConnectError>,
) -> Result<Session, ConnectError> {
    let deadline = Instant::now() + wait;
    loop {
        match connect() {
            Err(error) if error.code().is_some_and(|code| code.code() == "53300") && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(20));
            }
            outcome => return outcome,
        }
    }
}

/// What was tried, and what the server said.
fn told(sql: &str, error: &postgres::Error) -> anyhow::Error {
    match error.as_db_error() {
        Some(server) => {
            let detail = server.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
            let code = server.code().code();
            anyhow::Error::new(Refused { code: code.to_owned() }).context(format!(
                "{}: {}{detail} ({code})",
                first_line(sql),
                server.message()
            ))
        }
        None => anyhow!("{}: {error}", first_line(sql)),
    }
}

/// The SQLSTATE of what a server refused.
#[derive(Debug)]
pub(crate) struct Refused {
    code: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the server refused")
    }
}

impl std::error::Error for Refused {}

/// Whether the server gave this SQLSTATE.
pub(crate) fn is_refused(error: &anyhow::Error, code: &str) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.code == code)
}

fn first_line(sql: &str) -> &str {
    let is_word = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("--");
    sql.lines().find(is_word).unwrap_or_default().trim()
}

/// Runs what speaks to the server on a thread of its own: the driver has a runtime, and none may be started or
/// dropped within that of a test.
pub(crate) fn off_runtime<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| match scope.spawn(run).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
