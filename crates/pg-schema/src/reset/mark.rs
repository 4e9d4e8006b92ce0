//! The mark that a reset puts on a database: what a killed run has left is known by it.

use pg_config::{Identifier, short_digest};

/// What a reset writes as the comment on the database from before: only its owner and superusers can.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) state: State,
    /// What the comment was.
    pub(super) comment: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The new one is not complete.
    Aside,
    /// The new one is complete.
    Replaced,
}

impl Mark {
    pub(super) fn text(&self, database: &Identifier) -> String {
        let state = match self.state {
            State::Aside => "from before a db-reset that is not finished",
            State::Replaced => "replaced by a db-reset, to be dropped",
        };
        let comment = self.comment.as_ref().map(|comment| format!("\n{comment}")).unwrap_or_default();
        format!("database {database}: {state}{comment}")
    }

    pub(super) fn read(comment: Option<&str>, database: &Identifier) -> Option<Self> {
        [State::Aside, State::Replaced].into_iter().find_map(|state| {
            let rest = comment?.strip_prefix(&Self { state, comment: None }.text(database))?;
            let comment = if rest.is_empty() { None } else { Some(rest.strip_prefix('\n')?.to_owned()) };
            Some(Self { state, comment })
        })
    }
}

/// The connection limit that stands for a mark from the moment at which a database is made, as a comment cannot. It is as
/// good as none, and nobody sets such a one by chance.
pub fn marking_limit(mark: &str) -> i32 {
    (1 << 30) + i32::from_str_radix(&short_digest(mark.as_bytes())[..7], 16).unwrap_or_default()
}

/// Of a database that a reset makes and that is not complete.
pub(super) fn building_limit(database: &Identifier) -> i32 {
    marking_limit(&format!("db-reset: {database}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_database_and_keeps_its_comment() {
        let database = Identifier::from_catalog("Shop");
        for comment in [None, Some("a\n\nb".to_owned())] {
            for state in [State::Aside, State::Replaced] {
                let mark = Mark { state, comment: comment.clone() };
                let text = mark.text(&database);
                assert_eq!(Mark::read(Some(&text), &Identifier::from_catalog("shop")), None);
                assert_eq!(Mark::read(Some(&text), &database), Some(mark));
            }
        }
        assert_eq!(Mark::read(Some("of a person"), &database), None);
        assert_eq!(Mark::read(None, &database), None);
    }
}
