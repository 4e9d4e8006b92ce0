//! What can go wrong, in words for a person and in variants for a caller that must branch.

use postgres::error::{ErrorPosition, SqlState};
use uuid::Uuid;

use crate::definitions::Difference;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What the driver answers; [`Error::server`] makes a [`Result`] of it.
pub(crate) type Answer<T> = std::result::Result<T, postgres::Error>;

/// Why something was not done. The text names the object, what the server said and its SQLSTATE; never a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The environment names no database.
    #[error("DATABASE_URL is not set\n  help: set it to postgres://user:password@host:5432/database")]
    NoUrl,

    /// The connection string cannot be read. The text is ours: the string itself may hold a password anywhere.
    #[error("DATABASE_URL cannot be used\n  cause: {0}")]
    Url(String),

    /// No connection: the server does not answer, or refuses the login.
    #[error(transparent)]
    Connect(#[from] pg_connect::ConnectError),

    /// Unqualified names would not be made in a schema of the application's own.
    #[error(
        "tables would be made in {}, not in a schema of the application's own\n  \
         cause: search_path is {search_path}: its first schema that this role may use gets new tables\n  help: {fix}",
        match schema { Some(schema) => format!("schema {schema}"), None => "no schema at all".to_owned() }
    )]
    Place {
        /// `current_schema()`: null where no schema of the path exists and may be used.
        schema: Option<String>,
        /// The path as the server has it.
        search_path: String,
        /// The statement that puts a schema first.
        fix: String,
    },

    /// The bookkeeping table that the search_path finds is another schema's.
    #[error(
        "refinery_schema_history is in schema {found}, but new tables would be made in {schema}\n  \
         help: move it there with the application's tables: cargo xtask db-verify prints the SQL\n  \
         help: or leave {found} out of the search_path"
    )]
    BookkeepingElsewhere {
        /// Where it was found.
        found: String,
        /// Where it belongs.
        schema: String,
    },

    /// Tables of the application stand in another schema of the search_path, where new ones would hide them.
    #[error(
        "schema {schema} has none of the application's tables, but the search_path finds {} in another schema\n  \
         cause: new tables would hide the rows of {}{}\n  \
         help: move them first: ALTER TABLE … SET SCHEMA {schema}\n  \
         help: or leave that schema out of the search_path",
        tables.len(), tables.iter().take(3).cloned().collect::<Vec<_>>().join(", "),
        if tables.len() > 3 { " …" } else { "" }
    )]
    TablesElsewhere {
        /// Where new tables would be made.
        schema: String,
        /// The tables found, as `public.notes_note`.
        tables: Vec<String>,
    },

    /// The tables that the first migration would make exist, but are not what it would make. Nothing was changed.
    #[error(
        "tables of {migration} exist in schema {schema}, but differ from what it makes; nothing was changed\n{}",
        differences.iter().map(|difference| format!("  {difference}")).collect::<Vec<_>>().join("\n")
    )]
    Differs {
        /// The migration, as `V1__tables`.
        migration: String,
        /// The schema that was compared.
        schema: String,
        /// Every difference.
        differences: Vec<Difference>,
    },

    /// The database's record of applied migrations and the migrations of this program do not agree.
    #[error("the migrations of schema {schema} cannot go on; nothing was changed\n  cause: {}", conflicts.join("\n  cause: "))]
    History {
        /// The schema that holds the record.
        schema: String,
        /// A sentence for each migration concerned.
        conflicts: Vec<String>,
    },

    /// Another run held the lock for too long.
    #[error("another migrate run still holds the lock of schema {schema} after {waited} s\n  cause: {holder}")]
    Locked {
        /// The schema whose migrations are locked.
        schema: String,
        /// How long we waited, in seconds.
        waited: u64,
        /// The session that holds the lock.
        holder: String,
    },

    /// A migration failed, or its row could not be written; its transaction was rolled back.
    #[error(
        "{migration} was not applied{}\n  cause: {}",
        line.map(|line| format!(" (line {line})")).unwrap_or_default(), said_by(cause.as_ref())
    )]
    Migration {
        /// The migration, as `V1__tables`.
        migration: String,
        /// The line of its text that the server pointed at, from 1.
        line: Option<usize>,
        /// What refinery or the server said.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The artwork to change is not there, or belongs to somebody else.
    #[error("there is no artwork {0} in this collection")]
    NoArtwork(Uuid),

    /// A statement failed.
    #[error("{doing}: {}", said(cause))]
    Server {
        /// What was tried, with its object: "add note to user 7".
        doing: String,
        /// What the driver or the server said.
        cause: postgres::Error,
    },
}

impl Error {
    /// The SQLSTATE, where the server gave one.
    pub fn code(&self) -> Option<&SqlState> {
        match self {
            Error::Connect(error) => error.code(),
            Error::Server { cause, .. } => cause.code(),
            Error::Migration { cause, .. } => postgres_error(cause.as_ref())?.code(),
            _ => None,
        }
    }

    /// For `map_err`: says what was tried.
    pub(crate) fn server(doing: impl Into<String>) -> impl FnOnce(postgres::Error) -> Error {
        move |cause| Error::Server { doing: doing.into(), cause }
    }

    /// What refinery said of a migration; `sql` is the migration's text.
    pub(crate) fn migration(migration: String, sql: &str, cause: refinery::Error) -> Error {
        // refinery's own statements have positions too: only those of this step are the migration's.
        let is_ours =
            matches!(cause.kind(), refinery::error::Kind::Connection(step, _) if step == "error applying migrations");
        let line = match postgres_error(&cause).and_then(|error| error.as_db_error()?.position()) {
            Some(ErrorPosition::Original(position)) if is_ours => Some(line_of(sql, *position)),
            _ => None,
        };
        Error::Migration { migration, line, cause: Box::new(cause) }
    }
}

/// The line of a character, both counted from 1 as the server does.
fn line_of(sql: &str, position: u32) -> usize {
    1 + sql.chars().take(position.saturating_sub(1) as usize).filter(|&char| char == '\n').count()
}

/// What the server said, with its SQLSTATE; else what the driver said and why.
fn said(error: &postgres::Error) -> String {
    let Some(db) = error.as_db_error() else { return chain(error) };
    let mut text = format!("{} (SQLSTATE {})", db.message(), db.code().code());
    for (word, more) in [("detail", db.detail()), ("hint", db.hint())] {
        if let Some(more) = more {
            text.push_str(&format!("\n  {word}: {more}"));
        }
    }
    text
}

/// The same for an error that may hold one of the driver's further down.
fn said_by(error: &(dyn std::error::Error + 'static)) -> String {
    postgres_error(error).map(said).unwrap_or_else(|| chain(error))
}

/// The driver's error among an error and its causes.
fn postgres_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a postgres::Error> {
    error.downcast_ref().or_else(|| postgres_error(error.source()?))
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        text.push_str(&format!(": {current}"));
        cause = current.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::line_of;

    #[test]
    fn lines_count_from_one() {
        assert_eq!(line_of("é\nb\nc", 1), 1);
        assert_eq!(line_of("é\nb\nc", 3), 2);
        assert_eq!(line_of("é\nb\nc", 5), 3);
    }
}
