//! A statement that failed: its error carries the statement and the server's words.

use std::error::Error as _;

use pg_config::{Session, further_lines_quoted, sqlstate_help};
use thiserror::Error;

/// A statement that the server refused.
#[derive(Clone, Debug, Error)]
#[error("{what}{}", self.cause())]
pub struct SqlError {
    /// The sentence: a statement failed, or the connection was lost.
    pub what: String,
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
            return Self { statement, ..Self::lost(session, &format!("{error}{cause}")) };
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
        Self { sqlstate, detail: detail + &help, ..Self::refused(statement, message) }
    }

    /// A statement that is not, or cannot be, run.
    pub(crate) fn refused(statement: String, message: impl Into<String>) -> Self {
        Self {
            what: "a statement failed".to_owned(),
            statement,
            message: message.into(),
            sqlstate: String::new(),
            detail: String::new(),
        }
    }

    /// A connection that is lost.
    fn lost(session: &Session, words: &str) -> Self {
        Self {
            what: format!("the connection of {} was lost", session.whose),
            statement: String::new(),
            message: words.to_owned(),
            sqlstate: String::new(),
            detail: "\n  help: run the command again; the server's log may say why the connection ended".to_owned(),
        }
    }

    /// What follows the sentence: the server's words and the statement, a line each.
    pub fn cause(&self) -> String {
        let Self { message, sqlstate, detail, statement, .. } = self;
        let statement = if statement.is_empty() { String::new() } else { format!("\n  statement: {statement}") };
        format!("\n  cause: {message}{sqlstate}{detail}{statement}")
    }

    /// The server's words and the statement, for a place that has one line.
    pub fn in_one_line(&self) -> String {
        let Self { message, sqlstate, statement, .. } = self;
        format!("{message}{sqlstate}: {statement}")
    }

    /// Whether the connection was lost.
    pub fn is_lost(&self) -> bool {
        self.sqlstate.is_empty() || ends_session(&self.sqlstate)
    }

    /// A statement that was run, and did not do what it says.
    pub(crate) fn warned(statement: &str, warning: &postgres::error::DbError) -> Self {
        Self {
            sqlstate: format!(" ({})", warning.code().code()),
            ..Self::refused(mask_verifier(statement), further_lines_quoted(warning.message()))
        }
    }

    /// Whether nothing more can be done in this transaction: the connection is lost, or a serialization failure (class
    /// 40), want of resources (53) or an operator's intervention (57) ended it.
    pub(crate) fn is_final(&self) -> bool {
        self.is_lost() || [" (40", " (53", " (57"].iter().any(|class| self.sqlstate.starts_with(class))
    }

    /// Whether the role has no right to what was tried, and another one may have it: an error, or a warning (class 01)
    /// that nothing was granted.
    pub fn is_about_rights(&self) -> bool {
        self.is(&postgres::error::SqlState::INSUFFICIENT_PRIVILEGE) || self.sqlstate.starts_with(" (01")
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
pub(crate) fn shown(statement: &str) -> String {
    let comment: Vec<_> = statement.trim().lines().map_while(|line| line.strip_prefix("-- ")).collect();
    match comment.join(" ").split(';').next() {
        Some(purpose) if !purpose.is_empty() => format!("the query for {purpose}"),
        _ => mask_verifier(statement.trim().lines().next().unwrap_or_default()),
    }
}

/// A verifier is no password, and still nobody's business.
pub(crate) fn mask_verifier(statement: &str) -> String {
    match statement.split_once("PASSWORD '") {
        Some((before, _)) => format!("{before}PASSWORD '***'"),
        None => statement.to_owned(),
    }
}
