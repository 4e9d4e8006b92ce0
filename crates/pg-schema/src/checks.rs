//! The checks: a room for each, with its query, its judgement, its fix and its explanation.

mod bookkeeping;
mod database;
mod default_privileges;
pub(crate) mod drift;
mod duplicates;
mod extensions;
mod function_bodies;
mod further_roles;
mod invalid_indexes;
pub(crate) mod migrations;
mod ownership;
mod placement;
pub(crate) mod pooler;
mod public_create;
mod role;
mod schema;
mod schema_privileges;
mod search_path;
mod sequence_privileges;
mod sequence_values;
mod server;
mod strays;
mod table_privileges;
pub(crate) mod tables_landed;

use pg_config::{ConnInfo, Identifier, Session};
use postgres::Row;

pub use self::search_path::sessions::{OlderSession, OlderSessions, older_sessions};
use crate::{
    Expected, Facts, probe::Probe, query::query, report::Check, sql_error::SqlError, transaction::in_transaction,
};

/// Every check that this version knows, in the contract's order. All that lists them goes by this.
const ALL: &[Definition] = &[
    server::CHECK,
    role::CHECK,
    database::CHECK,
    schema::CHECK,
    search_path::CHECK,
    schema_privileges::CHECK,
    table_privileges::CHECK,
    sequence_privileges::CHECK,
    default_privileges::CHECK,
    ownership::CHECK,
    tables_landed::CHECK,
    strays::CHECK,
    duplicates::CHECK,
    bookkeeping::CHECK,
    migrations::CHECK,
    drift::CHECK,
    public_create::CHECK,
    extensions::CHECK,
    invalid_indexes::CHECK,
    function_bodies::CHECK,
    sequence_values::CHECK,
    pooler::CHECK,
];

/// A check.
struct Definition {
    /// A stable name: the contract's "check ids".
    id: &'static str,
    /// What it means, why it matters, how a finding comes about and how it is fixed. The first line is a title; of the
    /// others, those that are not indented are headings.
    explanation: &'static str,
    /// Looks, and judges. It is in a transaction that changes nothing.
    look: fn(&mut Look<'_>) -> Result<Check, SqlError>,
}

/// What a check looks at.
pub(crate) struct Look<'a> {
    /// The app's own session.
    pub(crate) session: &'a mut Session,
    /// What several checks and the provisioning need of the catalog.
    pub(crate) facts: &'a Facts,
    /// What became of a table that was made as the app would make it.
    pub(crate) probe: &'a Probe,
    /// The same as other roles would, where the app may act as them.
    pub(crate) others: &'a [(Identifier, Probe)],
    /// How the app connects.
    pub(crate) app: &'a ConnInfo,
    /// Whether a pooler may stand before the server, and was not looked for yet.
    pub(crate) may_be_pooled: bool,
    /// What must be true.
    pub(crate) expected: &'a Expected,
}

impl Look<'_> {
    /// Asks the catalog: `$1` is the schema, `$2` the app's role.
    fn query(&mut self, sql: &str) -> Result<Vec<Row>, SqlError> {
        query(self.session, sql, &[self.expected.schema.as_str(), self.expected.role.as_str()])
    }
}

/// Goes through all checks, in one transaction.
pub(crate) fn look(look: Look<'_>) -> Result<Vec<Check>, SqlError> {
    let session = look.session;
    in_transaction(session, |session, _| {
        let mut look = Look { session, ..look };
        ALL.iter().map(|check| Ok(further_roles::add((check.look)(&mut look)?, look.facts, look.expected))).collect()
    })
}

/// The ids of all checks, in the contract's order.
pub const CHECKS: &[&str] = &ids();

const fn ids() -> [&'static str; ALL.len()] {
    let mut ids = [""; ALL.len()];
    let mut at = 0;
    while at < ids.len() {
        ids[at] = ALL[at].id;
        at += 1;
    }
    ids
}

/// What a check means, by its id.
pub fn explain(id: &str) -> Option<&'static str> {
    ALL.iter().find(|check| check.id == id).map(|check| check.explanation)
}

/// The verdict of a check of a schema that is not there.
fn no_schema(id: &'static str, schema: &Identifier) -> Check {
    Check::skip(id, format!("schema {schema} does not exist"))
}

/// ` (and 3 more tables)`, or nothing.
pub(crate) fn more_than_one(count: usize, noun: &str) -> String {
    match count - 1 {
        0 => String::new(),
        1 => format!(" (and 1 more {noun})"),
        more => format!(" (and {more} more {noun}s)"),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    const PARTS: [&str; 5] =
        ["What it means", "Why it matters", "How it comes about", "How to fix it", "In the manual"];

    #[test]
    fn every_room_is_that_of_a_check() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/checks");
        let rooms = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        let mut rooms: Vec<_> = rooms.map(|room| room.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        let mut known: Vec<_> = CHECKS.iter().map(|id| id.replace('-', "_")).collect();
        rooms.sort_unstable();
        known.sort_unstable();
        assert_eq!(rooms, known);
    }

    #[test]
    fn every_text_has_its_title_and_its_five_parts_in_order() {
        for Definition { id, explanation: text, .. } in ALL {
            let mut headings = text.lines().filter(|line| !line.is_empty() && !line.starts_with(' '));
            let title = headings.next().unwrap();
            assert!(title.strip_prefix(id).is_some_and(|rest| rest.starts_with(": ")), "{id}: {title}");
            assert!(text.starts_with(title) && !title.ends_with('.'), "{id}: {title}");
            assert_eq!(headings.collect::<Vec<_>>(), PARTS, "{id}");
            for part in PARTS {
                let body = text.split(&format!("\n\n{part}\n")).nth(1).unwrap_or_default();
                assert!(body.starts_with("  "), "{id}: nothing under {part}");
            }
        }
    }

    #[test]
    fn every_text_says_what_fix_does_and_where_the_manual_says_more() {
        for Definition { id, explanation: text, .. } in ALL {
            let fix = text.split(PARTS[3]).nth(1).unwrap();
            let (fix, manual) = fix.split_once(PARTS[4]).unwrap();
            assert!(fix.contains("`--fix`"), "{id}: {fix}");
            assert!(manual.contains("https://www.postgresql.org/docs/current/"), "{id}: {manual}");
        }
    }

    #[test]
    fn every_text_is_readable_in_a_terminal_and_names_no_project() {
        for Definition { id, explanation: text, .. } in ALL {
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{id}: {line}");
                assert_eq!(line.trim_end(), line, "{id}: a space at the end");
            }
            assert!(text.ends_with('\n') && !text.ends_with("\n\n") && !text.contains('\t'), "{id}");
            assert!(!text.to_lowercase().contains("aura"), "{id}");
        }
    }
}
