//! What two lists of contents do not have in common.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use pg_config::Identifier;

use super::{
    Contents,
    text::{plain, split},
};
use crate::object::{Kind, Object};

/// A thing of the schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Thing {
    /// Its kind, in a word.
    pub(crate) kind: String,
    /// The table or domain that it is a part of; of a routine, the types of its arguments.
    pub(crate) part_of: String,
    /// Its name.
    pub(crate) name: String,
}

/// What is not as it was expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What is expected, and not there.
    pub(crate) missing: Vec<Thing>,
    /// What has another definition.
    pub(crate) changed: Vec<Thing>,
    /// What is there, and not expected.
    pub(crate) additional: Vec<Thing>,
}

/// A thing, the digest of its definition, and what it goes with.
type Lines<'a> = BTreeMap<(&'a str, &'a str, &'a str), (&'a str, &'a str)>;

impl Contents {
    fn lines(&self) -> Lines<'_> {
        self.0
            .lines()
            .filter_map(split)
            .map(|[kind, of, name, digest, with]| ((kind, of, name), (digest, with)))
            .collect()
    }

    /// What has become of these contents. The parts of what is missing or additional are not named one by one.
    pub(crate) fn compare(&self, present: &Self) -> Difference {
        let (expected, found) = (self.lines(), present.lines());
        let changed =
            expected.iter().filter(|(thing, (digest, _))| found.get(*thing).is_some_and(|(other, _)| other != digest));
        Difference {
            missing: whole(&expected, &found),
            changed: changed.map(|(thing, _)| Thing::of(*thing)).collect(),
            additional: whole(&found, &expected),
        }
    }

    /// These contents, changed where `before` and `after` are not the same: what was not so before stays so.
    pub(crate) fn advanced(&self, before: &Self, after: &Self) -> Self {
        let (mut lines, before, after) = (self.lines(), before.lines(), after.lines());
        for (thing, found) in &after {
            if before.get(thing) != Some(found) {
                lines.insert(*thing, *found);
            }
        }
        lines.retain(|thing, _| after.contains_key(thing) || !before.contains_key(thing));
        Self(
            lines
                .into_iter()
                .map(|((kind, of, name), (digest, with))| {
                    let with = if with.is_empty() { String::new() } else { format!("\t{with}") };
                    format!("{kind}\t{of}\t{name}\t{digest}{with}\n")
                })
                .collect::<String>()
                .trim_end()
                .to_owned(),
        )
    }
}

/// The things of one list that the other has not, without the parts of those that are tables.
fn whole(list: &Lines<'_>, other: &Lines<'_>) -> Vec<Thing> {
    const WHOLES: [&str; 5] = ["table", "foreign table", "view", "materialized view", "domain"];
    let alone: Vec<_> = list.iter().filter(|(thing, _)| !other.contains_key(*thing)).collect();
    let wholes: HashSet<_> =
        alone.iter().filter(|((kind, ..), _)| WHOLES.contains(kind)).map(|((.., name), _)| *name).collect();
    let is_part = |(kind, of, _): &(&str, &str, &str), with: &str| {
        *kind != "routine" && (!of.is_empty() && wholes.contains(of) || !with.is_empty() && wholes.contains(with))
    };
    alone.iter().filter(|(thing, (_, with))| !is_part(thing, with)).map(|(thing, _)| Thing::of(**thing)).collect()
}

impl Thing {
    fn of((kind, part_of, name): (&str, &str, &str)) -> Self {
        Self { kind: kind.to_owned(), part_of: plain(part_of), name: plain(name) }
    }

    /// Whether it is a part of a table, a view or a domain.
    pub(crate) fn is_part(&self) -> bool {
        self.kind != "routine" && !self.part_of.is_empty()
    }

    /// What patterns are applied to: `table`, `table.part`, `routine`.
    pub(crate) fn path(&self) -> String {
        if self.is_part() { format!("{}.{}", self.part_of, self.name) } else { self.name.clone() }
    }

    /// The object that it is, or that it is a part of.
    pub(crate) fn object(&self, schema: &Identifier) -> Object {
        let kind = match self.kind.as_str() {
            "view" => Kind::View,
            "materialized view" => Kind::MaterializedView,
            "foreign table" => Kind::ForeignTable,
            "sequence" => Kind::Sequence,
            "type" => Kind::Type,
            "domain" => Kind::Domain,
            "routine" => Kind::Routine,
            "index" => Kind::Index,
            "constraint" => Kind::Constraint,
            _ => Kind::Table,
        };
        let is_itself = !self.is_part() || matches!(kind, Kind::Index | Kind::Constraint);
        Object {
            kind,
            schema: Some(schema.clone()),
            name: Identifier::from_catalog(if is_itself { &self.name } else { &self.part_of }),
            arguments: (kind == Kind::Routine).then(|| self.part_of.clone()),
            table: (is_itself && self.is_part()).then(|| Identifier::from_catalog(&self.part_of)),
            owner: None,
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = (&self.kind, Identifier::from_catalog(&self.name));
        match self.kind.as_str() {
            "migration" => write!(f, "migration {} of {}", self.name, Identifier::from_catalog(&self.part_of)),
            "routine" => write!(f, "function {name}({})", self.part_of),
            _ if self.is_part() => write!(f, "{kind} {name} of {}", Identifier::from_catalog(&self.part_of)),
            _ => write!(f, "{kind} {name}"),
        }
    }
}

impl Difference {
    /// Whether all is as expected.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty() && self.additional.is_empty()
    }

    /// All of it.
    pub(crate) fn things(&self) -> impl Iterator<Item = &Thing> {
        self.missing.iter().chain(&self.changed).chain(&self.additional)
    }
}

/// How many of each are named in a sentence.
const MOST_NAMED: usize = 10;

/// `missing: table notes; changed: column at of visits (and 3 more)`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("missing", &self.missing), ("changed", &self.changed), ("additional", &self.additional)];
        let words = parts.into_iter().filter(|(_, things)| !things.is_empty()).map(|(word, things)| {
            let named: Vec<_> = things.iter().take(MOST_NAMED).map(ToString::to_string).collect();
            let more = things.len() - named.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{word}: {}{more}", named.join(", "))
        });
        f.write_str(&words.collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(lines: &[&str]) -> Contents {
        Contents(lines.iter().map(|line| line.replace('|', "\t")).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn what_is_missing_changed_and_additional_is_named() {
        let recorded = contents(&["column|a|id|1", "sequence||a_id|1|a", "table||a|1", "table||b|1", "view||v|1"]);
        let present = contents(&["column|c|id|1", "routine|integer|a|1", "table||b|2", "table||c|1", "view||v|1"]);
        let found = recorded.compare(&present);
        assert_eq!(found.to_string(), "missing: table a; changed: table b; additional: function a(integer), table c");
        assert!(recorded.compare(&recorded).is_empty());
    }

    #[test]
    fn what_a_run_made_is_recorded_and_what_was_not_so_before_stays_so() {
        let recorded = contents(&["table||a|1", "table||b|1", "table||c|1", "table||d|1"]);
        let before = contents(&["table||b|2", "table||c|1", "table||d|1", "table||x|1"]);
        let after = contents(&["table||b|2", "table||c|3", "table||e|1", "table||x|1"]);
        let advanced = recorded.advanced(&before, &after);
        assert_eq!(advanced, contents(&["table||a|1", "table||b|1", "table||c|3", "table||e|1"]));
        assert_eq!(advanced.compare(&after).to_string(), "missing: table a; changed: table b; additional: table x");
        // It made what was missing.
        let after = contents(&["table||a|1", "table||b|1", "table||c|1", "table||d|1"]);
        assert_eq!(recorded.advanced(&before, &after), recorded);
    }
}
