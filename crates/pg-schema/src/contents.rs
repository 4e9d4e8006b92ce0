//! What lies in the app's schema, a line for each thing, and the record of it that a verified run of the migrations
//! leaves: what is missing, changed and additional is told from the record alone.
//!
//! The record is the comment on a domain of ours in the schema. Every other place has a drawback. A comment on the schema
//! is shown whole by `\dn+`, which the guide names as a check: 18 kB for Aura's 25 tables, 4 MB for 10,000; and each
//! session that looks for the digest of the migrations would read it. Settings of the role are in no dump, and are sent to
//! the client at each login. A table in a schema of our own needs CREATE on the database, is missing from a dump of the
//! app's schema, and stays behind when that is dropped. The domain needs what the app's role has, goes wherever the schema
//! goes, is no relation that an ORM or a migration tool lists, and `\dD` shows no comment.

mod book;
mod definitions;
mod difference;
mod record;
mod text;

use pg_config::{Identifier, Session};
use postgres::error::SqlState;

pub(crate) use self::{
    book::Book,
    difference::Thing,
    record::{Head, Recorded},
};
pub use self::{definitions::Definitions, difference::Difference};
use crate::{
    Expected,
    query::{PASSED, PASSING, execute_at_once, query, query_one},
    sql_error::SqlError,
    transaction::in_transaction,
};

/// A line for each thing in a schema, in order: kind, what it is part of, name, digest of its definition and, of a
/// sequence, the table that it goes with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents(String);

/// The lines of the things, and of what the books hold. Of what stands in names only the signs of the format are written
/// otherwise.
fn lines(schema: &Identifier, books: &[Book]) -> String {
    let escaped = |column: &str| {
        format!(
            r"pg_catalog.replace(pg_catalog.replace(pg_catalog.replace({column}, '\\', '\\\\'), E'\t', '\t'), E'\n', '\n')"
        )
    };
    let books: String = books.iter().map(|book| format!(" UNION ALL {}", book.lines(schema))).collect();
    format!(
        r#"SELECT coalesce(pg_catalog.string_agg(line, E'\n' ORDER BY line COLLATE "C"), '') AS lines FROM (
    SELECT pg_catalog.concat_ws(E'\t', kind, {}, {}, digest, {}) AS line
    FROM (SELECT kind, part_of, name, digest, goes_with FROM (
{THINGS}) AS things{books}) AS thing) AS written"#,
        escaped("part_of"),
        escaped("name"),
        escaped("goes_with")
    )
}

/// The things of the schema with their definitions; `$1` is the schema.
const THINGS: &str = include_str!("contents/things.sql");

impl Contents {
    /// Reads what is there now. That is done before and after migrations, which wait for locks as long as it takes: here
    /// a table that another session has locked is waited for too, for 80 s.
    pub(crate) fn read(session: &mut Session, books: &[Book], expected: &Expected) -> Result<Self, SqlError> {
        let lines = lines(&expected.schema, books);
        let row = in_transaction(session, |session, _| {
            execute_at_once(session, "SET LOCAL lock_timeout = '80s'; SET LOCAL statement_timeout = '85s'")?;
            query_one(session, &lines, &[expected.schema.as_str()])
        })?;
        Ok(Self(row.get("lines")))
    }

    /// Reads what is recorded.
    pub(crate) fn recorded(session: &mut Session, expected: &Expected) -> Result<Self, SqlError> {
        let recorded = include_str!("contents/recorded.sql");
        let row = in_transaction(session, |session, _| query_one(session, recorded, &[expected.schema.as_str()]))?;
        Ok(Self(row.get("lines")))
    }
}

/// What a comparison of a schema with its record came to.
pub(crate) enum Comparison {
    /// All is as recorded.
    Same,
    /// Another session has locked this relation against every reader: its indexes cannot be described, and a verdict does
    /// not wait for that.
    Locked(Option<String>),
    /// What is recorded, and what is there.
    Differing(Contents, Contents),
}

impl Comparison {
    /// Asks, inside a transaction.
    pub(crate) fn ask(session: &mut Session, books: &[Book], expected: &Expected) -> Result<Self, SqlError> {
        execute_at_once(session, &format!("{PASSING}; SET LOCAL lock_timeout = '2s'"))?;
        let rows = query(session, &comparison(&expected.schema, books), &[expected.schema.as_str()]);
        // A session that is broken says so at the next query.
        let _ = execute_at_once(session, PASSED);
        let rows = match rows {
            // The server locks the books before the query begins, or another session has locked something since.
            Err(error) if error.is(&SqlState::LOCK_NOT_AVAILABLE) => return Ok(Self::Locked(None)),
            rows => rows?,
        };
        Ok(match rows.first() {
            None => Self::Same,
            Some(row) => match row.get::<_, Option<String>>("locked") {
                Some(relation) => Self::Locked(Some(relation)),
                None => Self::Differing(Contents(row.get("recorded")), Contents(row.get("lines"))),
            },
        })
    }
}

/// The query of a comparison. It gives no row where all is as recorded, else both lists.
pub(crate) fn comparison(schema: &Identifier, books: &[Book]) -> String {
    include_str!("contents/comparison.sql")
        .replace("present_lines", &lines(schema, books))
        .replace("recorded_lines", include_str!("contents/recorded.sql"))
}

impl std::fmt::Display for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
