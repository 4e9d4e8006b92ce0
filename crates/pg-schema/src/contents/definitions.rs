//! The definitions of what lies in a schema: those of another database, or of a file, beside those that are found.

use std::collections::BTreeMap;

use pg_config::{Identifier, Session};

use super::{
    Contents, Difference, THINGS, Thing,
    text::{coded, plain},
};
use crate::{Expected, query::query, report::Definition, sql_error::SqlError, transaction::in_transaction};

/// What lies in a schema, each thing with its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definitions {
    /// The server's major version, which has a part in the words.
    pub(crate) major: i32,
    contents: Contents,
    texts: BTreeMap<Thing, String>,
}

/// What a file of definitions begins with.
const HEADING: &str = "contents of a schema, written by cargo xtask, format 1, PostgreSQL ";

impl Definitions {
    /// Reads those of the app's schema.
    pub fn read(session: &mut Session, expected: &Expected) -> Result<Self, SqlError> {
        let sql = format!(
            "SELECT kind, part_of, name, digest, goes_with, definition, \
                    pg_catalog.current_setting('server_version_num')::int4 / 10000 AS major \
             FROM (\n{THINGS}) AS things"
        );
        let rows = in_transaction(session, |session, _| query(session, &sql, &[expected.schema.as_str()]))?;
        let major = rows.first().map_or(0, |row| row.get("major"));
        Ok(Self::of(
            major,
            rows.iter().map(|row| {
                let thing = Thing { kind: row.get("kind"), part_of: row.get("part_of"), name: row.get("name") };
                let goes_with: Option<String> = row.get("goes_with");
                (thing, row.get("digest"), goes_with.unwrap_or_default(), row.get("definition"))
            }),
        ))
    }

    fn of(major: i32, things: impl Iterator<Item = (Thing, String, String, String)>) -> Self {
        let (mut lines, mut texts) = (Vec::new(), BTreeMap::new());
        for (thing, digest, goes_with, definition) in things {
            let names = format!("{}\t{}\t{}", thing.kind, coded(&thing.part_of), coded(&thing.name));
            let with = if goes_with.is_empty() { String::new() } else { format!("\t{}", coded(&goes_with)) };
            lines.push(format!("{names}\t{digest}{with}"));
            texts.insert(thing, definition);
        }
        lines.sort_unstable();
        Self { major, contents: Contents(lines.join("\n")), texts }
    }

    /// Whether there is nothing in the schema, or no such schema.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// As a file keeps them: a line for each thing, whatever stands in its definition.
    pub fn to_text(&self) -> String {
        let lines = self.contents.0.lines().filter_map(super::text::split).map(|[kind, of, name, digest, with]| {
            let thing = Thing { kind: kind.to_owned(), part_of: plain(of), name: plain(name) };
            let definition = self.texts.get(&thing).map(|text| coded(text)).unwrap_or_default();
            format!("{kind}\t{of}\t{name}\t{digest}\t{with}\t{definition}\n")
        });
        format!("{HEADING}{}\n{}", self.major, lines.collect::<String>())
    }

    /// Reads such a file.
    pub fn from_text(text: &str) -> Option<Self> {
        let (heading, lines) = text.split_once('\n')?;
        let major = heading.strip_prefix(HEADING)?.parse().ok()?;
        let things: Option<Vec<_>> = lines
            .lines()
            .map(|line| {
                let [kind, of, name, digest, with, definition] =
                    line.split('\t').collect::<Vec<_>>().try_into().ok()?;
                let thing = Thing { kind: kind.to_owned(), part_of: plain(of), name: plain(name) };
                Some((thing, digest.to_owned(), plain(with), plain(definition)))
            })
            .collect();
        Some(Self::of(major, things?.into_iter()))
    }

    /// What of these is not so in others.
    pub(crate) fn compare(&self, found: &Self) -> Difference {
        self.contents.compare(&found.contents)
    }

    /// Both definitions of each thing that is not as here.
    pub(crate) fn beside(&self, found: &Self, difference: &Difference) -> Vec<Definition> {
        difference
            .things()
            .map(|thing| Definition {
                name: thing.to_string(),
                expected: self.texts.get(thing).cloned(),
                found: found.texts.get(thing).cloned(),
            })
            .collect()
    }

    /// The SQL towards these where nothing is lost by it: what is missing is made, but for tables, whose rows are gone; of
    /// what is changed, that which holds no rows.
    pub(crate) fn towards(&self, found: &Self, difference: &Difference, schema: &Identifier) -> Vec<String> {
        let missing = difference.missing.iter().filter_map(|thing| self.made(thing, schema));
        let changed = difference.changed.iter().flat_map(|thing| {
            let both = self.texts.get(thing).zip(found.texts.get(thing));
            both.map(|(expected, found)| self.changed(thing, expected, found, schema)).unwrap_or_default()
        });
        missing.chain(changed).collect()
    }

    fn made(&self, thing: &Thing, schema: &Identifier) -> Option<String> {
        let text = self.texts.get(thing)?.trim_end_matches([';', '\n', ' ']);
        let name = Identifier::from_catalog(&thing.name);
        let of = Identifier::from_catalog(&thing.part_of);
        // Of a state that is written behind it the statement knows nothing.
        let is_plain = !text.ends_with(')')
            || !["(disabled)", "(enabled for replicas)", "(always enabled)", "(its triggers are disabled)"]
                .iter()
                .any(|state| text.ends_with(state));
        let keyword = || if self.has("domain", &thing.part_of) { "DOMAIN" } else { "TABLE" };
        match thing.kind.as_str() {
            _ if !is_plain => None,
            "index" | "trigger" | "rule" | "statistics" => Some(text.to_owned()),
            "routine" if !text.starts_with("AGGREGATE") => Some(text.to_owned()),
            "view" | "materialized view" => {
                Some(format!("CREATE {} {schema}.{name} {text}", thing.kind.to_uppercase()))
            }
            "constraint" => Some(format!("ALTER {} {schema}.{of} ADD CONSTRAINT {name} {text}", keyword())),
            "column" => Some(format!("ALTER TABLE {schema}.{of} ADD COLUMN {name} {text}")),
            "policy" => Some(format!("CREATE POLICY {name} ON {schema}.{of} {text}")),
            "sequence" => Some(format!("CREATE SEQUENCE {schema}.{name} {text}")),
            "type" if !text.starts_with("AS RANGE") && text.starts_with("AS ") => {
                Some(format!("CREATE TYPE {schema}.{name} {text}"))
            }
            "domain" => Some(format!("CREATE DOMAIN {schema}.{name} {text}")),
            _ => None,
        }
    }

    fn changed(&self, thing: &Thing, expected: &str, found: &str, schema: &Identifier) -> Vec<String> {
        let name = Identifier::from_catalog(&thing.name);
        let table = format!("{schema}.{}", Identifier::from_catalog(&thing.part_of));
        let again = |drop: String| self.made(thing, schema).map(|made| vec![drop, made]).unwrap_or_default();
        match thing.kind.as_str() {
            "routine" => self.made(thing, schema).into_iter().collect(),
            "view" => vec![format!("CREATE OR REPLACE VIEW {schema}.{name} {}", expected.trim_end_matches(';'))],
            "sequence" => vec![format!("ALTER SEQUENCE {schema}.{name} {expected}")],
            "trigger" if found.strip_suffix(" (disabled)") == Some(expected) => {
                vec![format!("ALTER TABLE {table} ENABLE TRIGGER {name}")]
            }
            "column" if found == expected.replacen(" NOT NULL", "", 1) => {
                vec![format!("ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL")]
            }
            "column" if expected == found.replacen(" NOT NULL", "", 1) => {
                vec![format!("ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL")]
            }
            "trigger" => again(format!("DROP TRIGGER {name} ON {table}")),
            "policy" => again(format!("DROP POLICY {name} ON {table}")),
            "index" => again(format!("DROP INDEX {schema}.{name}")),
            "statistics" => again(format!("DROP STATISTICS {schema}.{name}")),
            "table" => row_security(expected, found)
                .into_iter()
                .map(|action| format!("ALTER TABLE {schema}.{name} {action}"))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn has(&self, kind: &str, name: &str) -> bool {
        self.texts.contains_key(&Thing { kind: kind.to_owned(), part_of: String::new(), name: name.to_owned() })
    }
}

/// What switches row-level security of a table, where that is all the difference.
fn row_security(expected: &str, found: &str) -> Vec<&'static str> {
    const SWITCHES: [(&str, &str, &str); 2] = [
        (" FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"),
        (" ENABLE ROW LEVEL SECURITY", "ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"),
    ];
    let rest = |text: &str| SWITCHES.iter().fold(text.to_owned(), |text, (part, ..)| text.replace(part, ""));
    if rest(expected) != rest(found) {
        return Vec::new();
    }
    let switches = SWITCHES.iter().filter(|(part, ..)| expected.contains(part) != found.contains(part));
    switches.map(|(part, on, off)| if expected.contains(part) { *on } else { *off }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let thing =
            |kind: &str, of: &str, name: &str| Thing { kind: kind.into(), part_of: of.into(), name: name.into() };
        let definitions = Definitions::of(
            18,
            [
                (thing("routine", "", "a\tb"), "0123".into(), String::new(), "BEGIN\n  RETURN '\\t';\nEND".into()),
                (thing("sequence", "", "s"), "4567".into(), "t".into(), "AS bigint".into()),
            ]
            .into_iter(),
        );
        let text = definitions.to_text();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert_eq!(Definitions::from_text(&text), Some(definitions));
        assert_eq!(Definitions::from_text("CREATE TABLE t ();\n"), None);
        assert_eq!(Definitions::from_text(&text.replace("4567\t", "")), None);
    }

    #[test]
    fn row_security_is_switched_where_nothing_else_differs() {
        let (on, off) = ("TABLE ENABLE ROW LEVEL SECURITY", "TABLE FORCE ROW LEVEL SECURITY");
        assert_eq!(row_security(on, off), ["NO FORCE ROW LEVEL SECURITY", "ENABLE ROW LEVEL SECURITY"]);
        assert!(row_security(on, "UNLOGGED TABLE").is_empty());
    }
}
