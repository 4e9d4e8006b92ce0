//! What defines a set of tables, and where two such sets differ.

use std::collections::BTreeMap;
use std::fmt;

use postgres::{Error, Transaction};

/// Table, kind of thing, name: what a definition belongs to.
type Key = (String, String, String);

/// The definitions of tables: columns, constraints, indexes, sequences, triggers, without the name of a schema.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    things: BTreeMap<Key, String>,
    /// By table: the names of the columns in order.
    columns: BTreeMap<String, Vec<String>>,
}

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// What of it: `column name`, `index artworks_support_name_ca85ebd0_like`, `kind` for the table itself.
    pub object: String,
    /// Its definition in the migration; `None`: it should not be there.
    pub expected: Option<String>,
    /// Its definition in the database; `None`: it is missing.
    pub found: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { table, object, expected, found } = self;
        match (expected, found) {
            (Some(expected), Some(found)) => write!(f, "{table}: {object}: expected {expected}; found {found}"),
            (Some(expected), None) => write!(f, "{table}: {object}: expected {expected}; it is missing"),
            (None, Some(found)) => write!(f, "{table}: {object}: not expected; found {found}"),
            (None, None) => write!(f, "{table}: {object}"),
        }
    }
}

/// Reads the definitions of those of `tables` that the transaction's search_path finds.
///
/// A name in another schema than the path's first is written with that schema; so set the path to one schema alone.
pub(crate) fn read(transaction: &mut Transaction<'_>, tables: &[&str]) -> Result<Definitions, Error> {
    let mut definitions = Definitions::default();
    for row in transaction.query(include_str!("sql/definitions.sql"), &[&tables])? {
        let (table, kind, name): Key = (row.try_get("table_name")?, row.try_get("kind")?, row.try_get("name")?);
        if row.try_get::<_, i32>("place")? > 0 {
            definitions.columns.entry(table.clone()).or_default().push(name.clone());
        }
        definitions.things.insert((table, kind, name), row.try_get("definition")?);
    }
    Ok(definitions)
}

/// Every difference, by table. Of a table that is missing, or is none, only that is said; the order of columns counts
/// where all of them are there and no other.
pub(crate) fn compare(expected: &Definitions, found: &Definitions) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (table, columns) in &expected.columns {
        let difference = |object: String, expected: Option<String>, found: Option<String>| Difference {
            table: table.clone(),
            object,
            expected,
            found,
        };
        let things = |of: &Definitions| {
            let of_table = of.things.iter().filter(|((name, ..), _)| name == table);
            of_table
                .map(|((_, kind, name), text)| ((kind.clone(), name.clone()), text.clone()))
                .collect::<BTreeMap<_, _>>()
        };
        let (wanted, mut there) = (things(expected), things(found));
        let kind = ("kind".to_owned(), String::new());
        if there.get(&kind) != wanted.get(&kind) {
            differences.push(difference(object(&kind), wanted.get(&kind).cloned(), there.remove(&kind)));
            continue;
        }
        for (key, text) in wanted {
            let now = there.remove(&key);
            if now.as_ref() != Some(&text) {
                differences.push(difference(object(&key), Some(text), now));
            }
        }
        differences.extend(there.into_iter().map(|(key, text)| difference(object(&key), None, Some(text))));

        let now = found.columns.get(table).cloned().unwrap_or_default();
        let sorted = |columns: &[String]| {
            let mut columns = columns.to_vec();
            columns.sort();
            columns
        };
        if *columns != now && sorted(columns) == sorted(&now) {
            differences.push(difference("order of columns".to_owned(), Some(columns.join(", ")), Some(now.join(", "))));
        }
    }
    differences
}

fn object((kind, name): &(String, String)) -> String {
    if name.is_empty() { kind.clone() } else { format!("{kind} {name}") }
}

#[cfg(test)]
mod tests {
    use super::{Definitions, compare};

    /// Each thing as "table kind name definition"; columns are in the order in which they stand.
    fn definitions(things: &[&str]) -> Definitions {
        let mut definitions = Definitions::default();
        for thing in things {
            let [table, kind, name, definition] =
                thing.splitn(4, ' ').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
            definitions.things.insert((table.clone(), "kind".to_owned(), String::new()), "table".to_owned());
            if kind == "column" {
                definitions.columns.entry(table.clone()).or_default().push(name.clone());
            }
            definitions.things.insert((table, kind, name), definition);
        }
        definitions
    }

    fn differences(expected: &[&str], found: &[&str]) -> Vec<String> {
        compare(&definitions(expected), &definitions(found)).iter().map(ToString::to_string).collect()
    }

    const TABLE: [&str; 3] = ["t column id bigint", "t column name text", "t index t_name CREATE INDEX …"];

    #[test]
    fn the_same_is_no_difference() {
        assert_eq!(differences(&TABLE, &TABLE), [""; 0]);
        assert_eq!(differences(&TABLE, &[TABLE[0], TABLE[1], TABLE[2], "other column id text"]), [""; 0]);
    }

    #[test]
    fn what_is_other_missing_or_too_much_is_listed() {
        let found = ["t column id integer", "t column name text", "t constraint t_check CHECK (true)"];
        assert_eq!(
            differences(&TABLE, &found),
            [
                "t: column id: expected bigint; found integer",
                "t: index t_name: expected CREATE INDEX …; it is missing",
                "t: constraint t_check: not expected; found CHECK (true)",
            ]
        );
    }

    #[test]
    fn a_missing_table_is_one_line() {
        assert_eq!(differences(&TABLE, &[]), ["t: kind: expected table; it is missing"]);
    }

    #[test]
    fn the_order_of_columns_counts() {
        assert_eq!(
            differences(&TABLE, &[TABLE[1], TABLE[0], TABLE[2]]),
            ["t: order of columns: expected id, name; found name, id"]
        );
    }
}
