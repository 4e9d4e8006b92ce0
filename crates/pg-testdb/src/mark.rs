//! The mark of a database that is ours to drop: a comment on it, which nobody can write but its owner, and the owner,
//! who is the administrator. A name alone says nothing: anybody may choose one.
//!
//! A database is there before it has a comment, and whoever makes it may be killed in between. So it is made with a
//! number as its connection limit, which stands for the comment until that is written.

use std::{
    error, fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use pg_config::{Identifier, Session};
use pg_schema::{Administrator, ddl, marking_limit, query};

use crate::dropping::drop_database;

/// Which databases are ours to drop.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    project: String,
    /// On a server that we started, the administrator's own need none: earlier versions of this crate marked none.
    takes_unmarked: bool,
}

/// A database that stays: it is named as one of ours, and is not marked as one.
#[derive(Debug)]
pub(crate) struct Unmarked {
    database: Identifier,
    why: String,
}

impl fmt::Display for Unmarked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, why } = self;
        write!(
            f,
            "database {database} is not dropped: {why}\n  help: if it is not needed, run: DROP DATABASE {database};"
        )
    }
}

impl error::Error for Unmarked {}

/// What tells whose a database is.
struct Seen<'a> {
    /// By the administrator.
    is_owned: bool,
    comment: Option<&'a str>,
    /// How many may connect.
    limit: i32,
}

impl Mark {
    pub(crate) fn of(project: &str, takes_unmarked: bool) -> Self {
        Self { project: project.to_owned(), takes_unmarked }
    }

    /// The comment on a database; `what` it is: `clone 89abcdef`. Details may follow a semicolon.
    pub(crate) fn text(&self, what: &str) -> String {
        format!("pg-testdb, project {}: {what}", self.project)
    }

    /// What is added to CREATE DATABASE: marked from the beginning.
    pub(crate) fn limit(&self, what: &str) -> String {
        format!(" CONNECTION LIMIT {}", self.number(what))
    }

    fn number(&self, what: &str) -> i32 {
        marking_limit(&self.text(what))
    }

    /// The statement that writes it.
    pub(crate) fn statement(&self, database: &Identifier, what: &str) -> String {
        ddl::comment_on_database(database, Some(&self.text(what)))
    }

    /// What follows the mark of this very thing in a comment.
    pub(crate) fn details<'a>(&self, comment: &'a str, what: &str) -> Option<&'a str> {
        let rest = comment.strip_prefix(&self.text(what))?;
        if rest.is_empty() { Some("") } else { rest.strip_prefix("; ") }
    }

    /// Why a database is not ours to drop, if it is not.
    fn is_missing(&self, Seen { is_owned, comment, limit }: Seen<'_>, what: &str) -> Option<String> {
        let is_marked = match comment {
            Some(comment) => self.details(comment, what).is_some(),
            None => limit == self.number(what),
        };
        let is_of_before = self.takes_unmarked && comment.is_none_or(is_of_before);
        match is_owned {
            false => Some("it belongs to another role than the administrator".to_owned()),
            true if is_marked || is_of_before => None,
            true => Some(format!("its comment is not the mark {:?}", self.text(what))),
        }
    }

    /// Drops a database that is ours; `false` where there is none. Another one is an error.
    pub(crate) fn drop_marked(
        &self,
        session: &mut Session,
        administrator: &Administrator,
        database: &Identifier,
        what: &str,
    ) -> anyhow::Result<bool> {
        let rows = query(session, include_str!("sql/marked.sql"), &[database.as_str()])?;
        let Some(row) = rows.first() else { return Ok(false) };
        let seen = Seen { is_owned: row.get("is_owned"), comment: row.get("remark"), limit: row.get("datconnlimit") };
        if let Some(why) = self.is_missing(seen, what) {
            return Err(Unmarked { database: database.clone(), why }.into());
        }
        drop_database(session, administrator, database).map(|()| true)
    }
}

/// What the comment on the database of a failed test says beside the mark.
const KEPT: &str = "a failed test's, kept by pg-testdb, second ";

pub(crate) fn kept_remark() -> String {
    format!("{KEPT}{}", now().as_secs())
}

/// Since which second the database of a failed test is kept, if it is one.
pub(crate) fn kept_since(remark: Option<&str>) -> Option<u64> {
    remark?.rsplit_once(KEPT)?.1.parse().ok()
}

/// How long ago that second was.
pub(crate) fn age(second: u64) -> Duration {
    now().saturating_sub(Duration::from_secs(second))
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Whether earlier versions of this crate wrote a comment: on a template, or on the database of a failed test.
fn is_of_before(comment: &str) -> bool {
    comment.starts_with("pg-testdb 3; ") || comment.starts_with(KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(mark: &Mark, is_owned: bool, comment: Option<&str>, limit: i32) -> bool {
        mark.is_missing(Seen { is_owned, comment, limit }, "clone 89abcdef").is_none()
    }

    #[test]
    fn a_mark_is_of_one_project_one_thing_and_the_owner() {
        let mark = Mark::of("shop", false);
        let text = mark.text("clone 89abcdef");
        let is_ours = |is_owned, comment: Option<&str>| asked(&mark, is_owned, comment, -1);
        assert!(is_ours(true, Some(&text)) && is_ours(true, Some(&format!("{text}; kept"))));
        assert!(!is_ours(false, Some(&text)) && !is_ours(true, None));
        for other in [
            format!("{text}0"),
            format!("x{text}"),
            Mark::of("shop2", false).text("clone 89abcdef"),
            mark.text("clone 89abcdee"),
            mark.text("template 89abcdef"),
            "pg-testdb 3; provable=yes; sequences=".to_owned(),
            String::new(),
        ] {
            assert!(!is_ours(true, Some(&other)), "{other}");
        }
        let ours = Mark::of("shop", true);
        let is_ours = |is_owned, comment: Option<&str>| asked(&ours, is_owned, comment, -1);
        assert!(is_ours(true, None) && is_ours(true, Some("pg-testdb 3; provable=yes; sequences=")));
        assert!(!is_ours(false, None) && !is_ours(true, Some("of a person")));
        // Killed before the comment was written.
        let limit = mark.number("clone 89abcdef");
        assert!(asked(&mark, true, None, limit));
        for (is_owned, comment, limit) in [
            (false, None, limit),
            (true, Some("of a person"), limit),
            (true, None, limit + 1),
            (true, None, mark.number("clone 89abcdee")),
            (true, None, Mark::of("shop2", false).number("clone 89abcdef")),
        ] {
            assert!(!asked(&mark, is_owned, comment, limit), "{is_owned} {comment:?} {limit}");
        }
    }
}
