//! Statements on their way to the server.

use std::time::Duration;

use pg_config::{Rights, Session};
use postgres::{
    Row, SimpleQueryMessage, SimpleQueryRow,
    error::SqlState,
    types::{ToSql, Type},
};

use crate::sql_error::{SqlError, shown};

/// Runs one query whose parameters are all text: one round trip, nothing prepared, nothing left behind.
pub fn query(session: &mut Session, sql: &str, parameters: &[&str]) -> Result<Vec<Row>, SqlError> {
    let typed: Vec<(&(dyn ToSql + Sync), Type)> =
        parameters.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
    session.ask(ANSWER, |client| client.query_typed(sql, &typed)).map_err(|error| SqlError::new(session, sql, &error))
}

/// The one row of a query that always gives one.
pub fn query_one(session: &mut Session, sql: &str, parameters: &[&str]) -> Result<Row, SqlError> {
    query(session, sql, parameters)?
        .into_iter()
        .next()
        .ok_or_else(|| SqlError::refused(shown(sql), "the query gave no row"))
}

/// A session of ours that lasts through long migrations and waits for no lock without bound: what others hold for longer
/// is an error that names the statement (55P03). An administrator's never reads what the app owns.
pub(crate) fn settled(mut session: Session) -> Session {
    let whose = match session.rights {
        Rights::App => "app",
        Rights::Administrator => "administrator",
    };
    // One that is broken already says so at the next query, which is the one that matters.
    let settle = include_str!("sql/settle.sql").replace("'whose'", &format!("'{whose}'"));
    let _ = execute_at_once(&mut session, &settle);
    session
}

/// How long an answer to a question of ours is waited for: the server ends one that takes a minute, so a longer silence
/// is that of a connection which leads nowhere.
pub const ANSWER: Duration = Duration::from_secs(90);

/// Runs one statement that gives no rows, and that may take long: it makes, drops or rebuilds something.
pub fn execute(session: &mut Session, statement: &str) -> Result<(), SqlError> {
    session.client.batch_execute(statement).map_err(|error| SqlError::new(session, statement, &error))
}

/// Runs statements that take no time: of a transaction's beginning and end, and settings.
pub fn execute_at_once(session: &mut Session, statement: &str) -> Result<(), SqlError> {
    let outcome = session.ask(ANSWER, |client| client.batch_execute(statement));
    outcome.map_err(|error| SqlError::new(session, statement, &error))
}

/// The first row of an answer, if it has one.
pub(crate) fn first_row(messages: &[SimpleQueryMessage]) -> Option<&SimpleQueryRow> {
    messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}

/// Values that tables are asked for, each a subquery that gives a bigint. `None` where they cannot be had in
/// time: somebody may be rewriting one of the tables, and a verdict does not wait for that, nor fail by it.
pub(crate) fn counted(session: &mut Session, values: &[String]) -> Result<Option<Vec<Option<i64>>>, SqlError> {
    assert_eq!(session.rights, Rights::App, "only the app's own session reads its tables");
    // What it takes of locks goes with it.
    let sql = format!("{PASSING}; {PATIENCE}; SELECT ARRAY[{}]::pg_catalog.int8[]; {PASSED}", values.join(", "));
    match session.ask(ANSWER, |client| client.simple_query(&sql)) {
        Ok(messages) => Ok(Some(numbers(first_row(&messages).and_then(|row| row.get(0)).unwrap_or_default()))),
        Err(error) => {
            let error = SqlError::new(session, "SELECT ARRAY[…]", &error);
            let _ = execute_at_once(session, PASSED);
            let is_late = error.is(&SqlState::LOCK_NOT_AVAILABLE) || error.is(&SqlState::QUERY_CANCELED);
            if is_late { Ok(None) } else { Err(error) }
        }
    }
}

/// The elements of an array of numbers, as the server writes it.
fn numbers(array: &str) -> Vec<Option<i64>> {
    array.trim_matches(['{', '}']).split(',').map(|number| number.parse().ok()).collect()
}

/// How long a lock of somebody's is waited for, and how long the app's tables may take to answer: an index may hold an
/// expression that never ends.
pub(crate) const PATIENCE: &str = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '10s'";

/// Begins what nothing stays of within such a transaction, neither settings nor locks.
pub(crate) const PASSING: &str = "SAVEPOINT passing";

/// Ends it.
pub(crate) const PASSED: &str = "ROLLBACK TO SAVEPOINT passing; RELEASE SAVEPOINT passing";
