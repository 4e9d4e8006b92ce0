//! An object that a schema can hold, and the statement that moves it.

use std::collections::HashSet;

use pg_config::{Identifier, Session};
use postgres::Row;

use crate::{Expected, facts, object::type_name, query::query, sql_error::SqlError};

/// Class and oid: what an object is called everywhere in the catalog.
pub(super) type Key = (u32, u32);

/// The class of relations.
pub(super) const RELATIONS: u32 = 1259;

/// The class of routines.
pub(super) const ROUTINES: u32 = 1255;

/// The class of types.
pub(super) const TYPES: u32 = 1247;

/// The kinds that can be moved by a statement, in PostgreSQL's words.
const KINDS: [&str; 18] = [
    "table",
    "view",
    "materialized view",
    "foreign table",
    "sequence",
    "type",
    "domain",
    "routine",
    "operator",
    "operator class",
    "operator family",
    "collation",
    "conversion",
    "statistics",
    "text search configuration",
    "text search dictionary",
    "text search parser",
    "text search template",
];

/// Those that wait for running queries, but for tables, which are locked all at once.
const WAITING: [&str; 4] = ["view", "materialized view", "foreign table", "sequence"];

/// An object that a schema can hold.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is, in PostgreSQL's words.
    pub kind: &'static str,
    /// Its bare name; an operator's is no identifier.
    pub name: Identifier,
    /// Its owner.
    pub owner: Identifier,
    /// The extension that it is a member of.
    pub extension: Option<Identifier>,
    pub(super) key: Key,
    /// The table of a sequence or partition, the range of a constructor: it moves with that, and stays with it.
    pub(super) parent: Option<Key>,
    /// Whether its parent takes it along.
    pub(super) follows: bool,
    /// Whether the session may move it.
    pub(super) is_movable: bool,
    /// Whether it is the app's, or a superuser's or the administrator's, who may have made it for the app.
    pub(super) is_apps: bool,
    operands: Option<Vec<Operand>>,
    method: Option<Identifier>,
}

/// A type that a routine or an operator takes.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    schema: String,
    name: String,
    /// The object that takes the type along.
    root: Key,
}

impl Operand {
    /// Of the four texts that a query gives for each.
    pub(super) fn list(texts: &[String]) -> Vec<Self> {
        let (all, _) = texts.as_chunks::<4>();
        let number = |text: &String| text.parse().unwrap_or(0);
        let operand = |[schema, name, class, oid]: &[String; 4]| Self {
            schema: schema.clone(),
            name: name.clone(),
            root: (number(class), number(oid)),
        };
        all.iter().map(operand).collect()
    }

    /// As SQL; `NONE` where an operator has no such operand.
    fn text(&self, away: &Away<'_>) -> String {
        match (self.name.as_str(), away.keys.contains(&self.root)) {
            ("", _) => "NONE".to_owned(),
            (name, true) => type_name(away.schema.as_str(), name),
            (name, false) => type_name(&self.schema, name),
        }
    }
}

/// What lies in another schema than it did when it was read.
pub(super) struct Away<'a> {
    pub(super) keys: HashSet<Key>,
    pub(super) schema: &'a Identifier,
}

/// The types of a routine or an operator as SQL.
pub(super) fn operands(list: &[Operand], away: &Away<'_>) -> String {
    list.iter().map(|operand| operand.text(away)).collect::<Vec<_>>().join(", ")
}

impl Item {
    /// Reads all objects of a schema.
    pub(super) fn read_all(
        session: &mut Session,
        schema: &Identifier,
        expected: &Expected,
    ) -> Result<Vec<Self>, SqlError> {
        let administrator = expected.administrator.as_ref().map_or("", Identifier::as_str);
        let names = [schema.as_str(), expected.role.as_str(), administrator];
        let rows = query(session, include_str!("../sql/relocate/objects.sql"), &names)?;
        Ok(rows.iter().map(Self::of).collect())
    }

    fn of(row: &Row) -> Self {
        let kind: &str = row.get("kind");
        let optional = |column| row.get::<_, Option<String>>(column).map(Identifier::from_catalog);
        let parent = row.get::<_, Option<u32>>("parent").zip(row.get::<_, Option<u32>>("parent_class"));
        Self {
            kind: KINDS.into_iter().find(|known| *known == kind).unwrap_or("other"),
            name: facts::name(row, "name"),
            owner: facts::name(row, "owner"),
            extension: optional("extension"),
            key: (row.get("class"), row.get("oid")),
            parent: parent.map(|(oid, class)| (class, oid)),
            follows: row.get("follows"),
            is_movable: row.get("is_movable"),
            is_apps: row.get("is_apps"),
            operands: row.get::<_, Option<Vec<String>>>("operands").map(|texts| Operand::list(&texts)),
            method: optional("method"),
        }
    }

    /// In words: `table artist`.
    pub fn described(&self) -> String {
        match self.kind {
            // What the server allows as one needs no quotes, and has none.
            "operator" => format!("operator {}", self.name.as_str()),
            kind => format!("{kind} {}", self.name),
        }
    }

    /// Whether it is a table, which is locked before anything is moved.
    pub(super) fn is_table(&self) -> bool {
        self.kind == "table"
    }

    /// Whether running queries hold locks on it.
    pub(super) fn waits(&self) -> bool {
        WAITING.contains(&self.kind)
    }

    /// Why no statement can move it.
    pub(super) fn is_immovable(&self) -> Option<String> {
        let is_operator = |name: &str| {
            name.bytes().all(|byte| b"+-*/<>=~!@#%^&|`?".contains(&byte))
                && !name.contains("--")
                && !name.contains("/*")
        };
        match self.kind {
            "other" => Some("this version of the tool knows no statement that moves it".to_owned()),
            "operator" if !is_operator(self.name.as_str()) => Some("its name is not one of an operator".to_owned()),
            _ => None,
        }
    }

    /// The statement that moves it from one schema to another, while the types that it takes lie where they do.
    pub(super) fn set_schema(&self, from: &Identifier, to: &Identifier, away: &Away<'_>) -> String {
        let keyword = self.kind.to_uppercase();
        let name = &self.name;
        let operands = self.operands.as_ref().map(|list| operands(list, away)).unwrap_or_default();
        match self.kind {
            "operator" => format!("ALTER OPERATOR {from}.{} ({operands}) SET SCHEMA {to}", name.as_str()),
            "routine" => format!("ALTER ROUTINE {from}.{name}({operands}) SET SCHEMA {to}"),
            "operator class" | "operator family" => {
                let method = self.method.as_ref().map(Identifier::to_string).unwrap_or_default();
                format!("ALTER {keyword} {from}.{name} USING {method} SET SCHEMA {to}")
            }
            _ => format!("ALTER {keyword} {from}.{name} SET SCHEMA {to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: &'static str, name: &str) -> Item {
        let root = Identifier::from_catalog("root");
        let pair = Operand { schema: "public".to_owned(), name: "pair".to_owned(), root: (1247, 7) };
        let none = Operand { schema: String::new(), name: String::new(), root: (0, 0) };
        Item {
            kind,
            name: Identifier::from_catalog(name),
            owner: root.clone(),
            extension: None,
            key: (1, 1),
            parent: None,
            follows: false,
            is_movable: true,
            is_apps: true,
            operands: ["routine", "operator"].contains(&kind).then(|| vec![none, pair]),
            method: Some(Identifier::from_catalog("btree")),
        }
    }

    #[test]
    fn each_kind_is_moved_in_its_own_words() {
        let (from, to) = (Identifier::from_catalog("Old"), Identifier::from_catalog("aura"));
        let away = |keys: &[Key]| Away { keys: keys.iter().copied().collect(), schema: &to };
        let sql = |kind, name| item(kind, name).set_schema(&from, &to, &away(&[]));
        assert_eq!(sql("table", "a b"), "ALTER TABLE \"Old\".\"a b\" SET SCHEMA aura");
        assert_eq!(sql("operator", "@+@"), "ALTER OPERATOR \"Old\".@+@ (NONE, public.pair) SET SCHEMA aura");
        assert_eq!(sql("operator class", "o"), "ALTER OPERATOR CLASS \"Old\".o USING btree SET SCHEMA aura");
        assert_eq!(
            item("operator", "@+@").set_schema(&from, &to, &away(&[(1247, 7)])),
            "ALTER OPERATOR \"Old\".@+@ (NONE, aura.pair) SET SCHEMA aura"
        );
        assert!(item("operator", "; DROP").is_immovable().is_some() && item("operator", "--").is_immovable().is_some());
        assert!(item("operator", "@+@").is_immovable().is_none());
    }
}
