//! Statements on their way to the server: each error carries the statement and the server's words.

use std::{error::Error as _, time::Duration};

use pg_config::{Rights, Session, further_lines_quoted, sqlstate_help};
use postgres::{
    Row, SimpleQueryMessage, SimpleQueryRow,
    error::SqlState,
    types::{ToSql, Type},
};
use thiserror::Error;

/// A statement that the server refused.
#[derive(Clone, Debug, Error)]
#[error("{message}{sqlstate}{detail}\n  statement: {statement}")]
pub struct SqlError {
    /// The statement's text, without parameters.
    pub statement: String,
    /// The server's message, or the driver's where the connection broke.
    pub message: String,
    /// ` (SQLSTATE)`, or empty.
    pub sqlstate: String,
    /// The server's detail and hint, each on a line of its own, or empty.
    pub detail: String,
}

impl SqlError {
    /// What the server, or the driver, said of a statement of a session.
    pub fn new(session: &Session, statement: &str, error: &postgres::Error) -> Self {
        let statement = shown(statement);
        let Some(server) = error.as_db_error() else {
            // The driver's own words are only that something was wrong.
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            return Self { statement, sqlstate: String::new(), ..Self::lost(session, &format!("{error}{cause}")) };
        };
        let sqlstate = format!(" ({})", server.code().code());
        let message = further_lines_quoted(server.message());
        if ends_session(&sqlstate) {
            return Self { statement, sqlstate, ..Self::lost(session, &message) };
        }
        let detail = [("detail", server.detail()), ("hint", server.hint())]
            .into_iter()
            .filter_map(|(name, text)| Some(format!("\n  {name}: {}", further_lines_quoted(text?))))
            .collect::<String>();
        let help = sqlstate_help(server.code()).map(|help| format!("\n  help: {help}")).unwrap_or_default();
        Self { statement, message, sqlstate, detail: detail + &help }
    }

    /// A connection that is lost.
    fn lost(session: &Session, words: &str) -> Self {
        Self {
            statement: String::new(),
            message: format!("the connection of {} was lost: {words}", session.whose),
            sqlstate: String::new(),
            detail: "\n  help: run the command again; the server's log may say why the connection ended".to_owned(),
        }
    }

    /// Whether the connection was lost.
    pub fn is_lost(&self) -> bool {
        self.sqlstate.is_empty() || ends_session(&self.sqlstate)
    }

    /// A statement that was run, and did not do what it says.
    pub(crate) fn warned(statement: &str, warning: &postgres::error::DbError) -> Self {
        Self {
            statement: mask_verifier(statement),
            message: further_lines_quoted(warning.message()),
            sqlstate: format!(" ({})", warning.code().code()),
            detail: String::new(),
        }
    }

    /// Whether nothing more can be done in this transaction: the connection is lost, or a serialization failure (class
    /// 40), want of resources (53) or an operator's intervention (57) ended it.
    pub(crate) fn is_final(&self) -> bool {
        self.is_lost() || [" (40", " (53", " (57"].iter().any(|class| self.sqlstate.starts_with(class))
    }

    /// Whether the server gave this SQLSTATE.
    pub fn is(&self, code: &postgres::error::SqlState) -> bool {
        self.sqlstate == format!(" ({})", code.code())
    }
}

/// Whether an SQLSTATE, as it is shown, is the end of the session: class 08, 57P01 to 57P05, and the time-outs of a
/// transaction.
fn ends_session(sqlstate: &str) -> bool {
    [" (08", " (57P", " (25P03", " (25P04"].iter().any(|code| sqlstate.starts_with(code))
}

/// A statement as errors show it: its first line. What one of our long queries is for stands in a comment before it.
fn shown(statement: &str) -> String {
    let comment: Vec<_> = statement.trim().lines().map_while(|line| line.strip_prefix("-- ")).collect();
    match comment.join(" ").split(';').next() {
        Some(purpose) if !purpose.is_empty() => format!("the query for {purpose}"),
        _ => mask_verifier(statement.trim().lines().next().unwrap_or_default()),
    }
}

/// Runs one query whose parameters are all text: one round trip, nothing prepared, nothing left behind.
pub fn query(session: &mut Session, sql: &str, parameters: &[&str]) -> Result<Vec<Row>, SqlError> {
    let typed: Vec<(&(dyn ToSql + Sync), Type)> =
        parameters.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
    session.ask(ANSWER, |client| client.query_typed(sql, &typed)).map_err(|error| SqlError::new(session, sql, &error))
}

/// The one row of a query that always gives one.
pub fn query_one(session: &mut Session, sql: &str, parameters: &[&str]) -> Result<Row, SqlError> {
    query(session, sql, parameters)?.into_iter().next().ok_or_else(|| SqlError {
        statement: shown(sql),
        message: "the query gave no row".to_owned(),
        sqlstate: String::new(),
        detail: String::new(),
    })
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

/// The path that a session was given, before a query of ours goes by a path of its own.
pub(crate) struct Given {
    /// `search_path`.
    pub(crate) path: String,
    /// Where an unqualified CREATE TABLE would go.
    pub(crate) schema: Option<String>,
}

/// Asks for no operator, and for nothing by an unqualified name: whatever the path is, the answer is the server's.
const GIVEN: &str = "SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_schema()";

/// Has a transaction find nothing that others have put into another schema (CVE-2018-1058). By a transaction no
/// setting stays behind, in a pooler's session neither.
pub(crate) const SAFE_PATH_HERE: &str = "SET LOCAL search_path = pg_catalog, pg_temp";

/// The same for settings by which the app's role could change what a query means, or how an answer is written.
pub(crate) const SAFE_SETTINGS: &str = "SET LOCAL standard_conforming_strings = on; SET LOCAL transform_null_equals = off; \
     SET LOCAL quote_all_identifiers = off; SET LOCAL \"DateStyle\" = 'ISO, MDY'";

/// Settings for queries that are run once: they look expensive to the planner where there are many tables, and compiling
/// them would cost more than running them does; and their joins are written in the order in which they are cheap.
pub(crate) const RUN_ONCE: &str = "SET LOCAL jit = off; SET LOCAL join_collapse_limit = 1";

/// Reads in one transaction that changes nothing, by the safe path: the app's own sessions ask all that needs more
/// than qualified names in here.
pub(crate) fn in_transaction<T>(
    session: &mut Session,
    read: impl FnOnce(&mut Session, &Given) -> Result<T, SqlError>,
) -> Result<T, SqlError> {
    let begin = format!("BEGIN READ ONLY; {BOUNDS}; {GIVEN}; {SAFE_PATH_HERE}; {SAFE_SETTINGS}; {RUN_ONCE}");
    let messages = session.ask(ANSWER, |client| client.simple_query(&begin));
    let messages = messages.map_err(|error| SqlError::new(session, &begin, &error))?;
    let row = first_row(&messages);
    let value = |column: usize| row.and_then(|row| row.get(column)).map(str::to_owned);
    let given = Given { path: value(0).unwrap_or_default(), schema: value(1) };
    let outcome = read(session, &given);
    match outcome {
        Ok(read) => execute_at_once(session, "COMMIT").map(|()| read),
        Err(error) => {
            // What the server said first is what counts.
            let _ = execute_at_once(session, "ROLLBACK");
            Err(error)
        }
    }
}

fn first_row(messages: &[SimpleQueryMessage]) -> Option<&SimpleQueryRow> {
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

/// The bounds of every other question: somebody may have locked the catalog, or the server be out of breath.
const BOUNDS: &str = "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '60s'; \
                      SET LOCAL idle_in_transaction_session_timeout = 0";

/// Begins what nothing stays of within such a transaction, neither settings nor locks.
pub(crate) const PASSING: &str = "SAVEPOINT passing";

/// Ends it.
pub(crate) const PASSED: &str = "ROLLBACK TO SAVEPOINT passing; RELEASE SAVEPOINT passing";

/// A verifier is no password, and still nobody's business.
pub(crate) fn mask_verifier(statement: &str) -> String {
    match statement.split_once("PASSWORD '") {
        Some((before, _)) => format!("{before}PASSWORD '***'"),
        None => statement.to_owned(),
    }
}
