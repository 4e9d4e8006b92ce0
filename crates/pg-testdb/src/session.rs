//! Sessions of the administrator, and where they may be used.

use std::{
    thread,
    time::{Duration, Instant},
};

use pg_config::{ConnectError, Session};
use pg_schema::{ANSWER, SqlError};
use postgres::{SimpleQueryMessage, error::SqlState};

/// Statements that take no time and are one transaction, and every text that they give.
pub(crate) fn texts(session: &mut Session, sql: &str) -> anyhow::Result<Vec<Option<String>>> {
    let answer = session.ask(ANSWER, |client| client.simple_query(sql));
    let messages = answer.map_err(|error| SqlError::new(session, sql, &error))?;
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
            Err(error) if error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS) && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(20));
            }
            outcome => return outcome,
        }
    }
}
