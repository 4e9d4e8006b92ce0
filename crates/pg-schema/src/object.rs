//! An object of a database, as findings name it and statements address it.

use pg_config::Identifier;

/// What kind of object it is, in `pg_class.relkind`'s letters and a few of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An ordinary or partitioned table.
    Table,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A foreign table.
    ForeignTable,
    /// A sequence.
    Sequence,
    /// A standalone type: enum, composite, range.
    Type,
    /// A domain.
    Domain,
    /// A function or procedure.
    Routine,
    /// A text search configuration.
    TextSearchConfiguration,
    /// A text search dictionary.
    TextSearchDictionary,
    /// Extended statistics.
    Statistics,
    /// A database.
    Database,
    /// A schema.
    Schema,
    /// A role.
    Role,
    /// An extension.
    Extension,
    /// An index.
    Index,
    /// A constraint, of a table or a domain.
    Constraint,
    /// A session: its name is the process id of its backend.
    Session,
}

/// An object of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Where it lies; none for roles and schemas themselves.
    pub schema: Option<Identifier>,
    /// Its bare name.
    pub name: Identifier,
    /// A routine's argument types, as SQL.
    pub arguments: Option<String>,
    /// The table of an index or a constraint.
    pub table: Option<Identifier>,
    /// Its owner.
    pub owner: Option<Identifier>,
}

/// The argument types of a routine as SQL, of which the catalog gives schema and name one after the other. The names
/// are quoted here: SQL that a server gives is never run.
pub(crate) fn argument_list(names: &[String]) -> String {
    let (types, _) = names.as_chunks::<2>();
    types.iter().map(|[schema, name]| type_name(schema, name)).collect::<Vec<_>>().join(", ")
}

/// A type as `format_type` has it, and with its schema where that is not the server's own.
pub(crate) fn type_name(schema: &str, name: &str) -> String {
    if schema != "pg_catalog" {
        return format!("{}.{}", Identifier::from_catalog(schema), Identifier::from_catalog(name));
    }
    let (element, array) = name.strip_prefix('_').map_or((name, ""), |element| (element, "[]"));
    let standard = match element {
        "bool" => "boolean",
        "bpchar" => "character",
        "char" => "\"char\"",
        "float4" => "real",
        "float8" => "double precision",
        "int2" => "smallint",
        "int4" => "integer",
        "int8" => "bigint",
        "time" => "time without time zone",
        "timestamp" => "timestamp without time zone",
        "timestamptz" => "timestamp with time zone",
        "timetz" => "time with time zone",
        "varbit" => "bit varying",
        "varchar" => "character varying",
        "bit" | "interval" | "numeric" => element,
        _ => return format!("{}{array}", Identifier::from_catalog(element)),
    };
    format!("{standard}{array}")
}

impl Kind {
    /// Reads the letter that the catalog queries give.
    pub(crate) fn from_letter(letter: &str) -> Option<Self> {
        Some(match letter {
            "r" | "p" => Self::Table,
            "v" => Self::View,
            "m" => Self::MaterializedView,
            "f" => Self::ForeignTable,
            "S" => Self::Sequence,
            "type" => Self::Type,
            "domain" => Self::Domain,
            "routine" => Self::Routine,
            "configuration" => Self::TextSearchConfiguration,
            "dictionary" => Self::TextSearchDictionary,
            "statistics" => Self::Statistics,
            _ => return None,
        })
    }

    /// In a sentence and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::ForeignTable => "foreign table",
            Self::Sequence => "sequence",
            Self::Type => "type",
            Self::Domain => "domain",
            Self::Routine => "routine",
            Self::TextSearchConfiguration => "text search configuration",
            Self::TextSearchDictionary => "text search dictionary",
            Self::Statistics => "statistics object",
            Self::Database => "database",
            Self::Schema => "schema",
            Self::Role => "role",
            Self::Extension => "extension",
            Self::Index => "index",
            Self::Constraint => "constraint",
            Self::Session => "session",
        }
    }
}

impl Object {
    /// A schema, role or extension: something whose name stands alone.
    pub fn named(kind: Kind, name: &Identifier) -> Self {
        Self { kind, schema: None, name: name.clone(), arguments: None, table: None, owner: None }
    }

    /// The word after ALTER and DROP.
    pub(crate) fn alter_keyword(&self) -> &'static str {
        match self.kind {
            Kind::Table => "TABLE",
            Kind::View => "VIEW",
            Kind::MaterializedView => "MATERIALIZED VIEW",
            Kind::ForeignTable => "FOREIGN TABLE",
            Kind::Sequence => "SEQUENCE",
            Kind::Type => "TYPE",
            Kind::Domain => "DOMAIN",
            Kind::Routine => "ROUTINE",
            Kind::TextSearchConfiguration => "TEXT SEARCH CONFIGURATION",
            Kind::TextSearchDictionary => "TEXT SEARCH DICTIONARY",
            Kind::Statistics => "STATISTICS",
            Kind::Database => "DATABASE",
            Kind::Schema => "SCHEMA",
            Kind::Role => "ROLE",
            Kind::Extension => "EXTENSION",
            Kind::Index => "INDEX",
            // Neither is altered by itself.
            Kind::Constraint => "CONSTRAINT",
            Kind::Session => "SESSION",
        }
    }

    /// The word after `GRANT … ON`: views and foreign tables are tables there.
    pub(crate) fn grant_keyword(&self) -> &'static str {
        match self.kind {
            Kind::View | Kind::MaterializedView | Kind::ForeignTable => "TABLE",
            _ => self.alter_keyword(),
        }
    }

    /// Its name as a statement addresses it, whatever the search_path is.
    pub fn qualified(&self) -> String {
        let arguments = self.arguments.as_ref().map(|list| format!("({list})")).unwrap_or_default();
        match &self.schema {
            Some(schema) => format!("{schema}.{}{arguments}", self.name),
            None => format!("{}{arguments}", self.name),
        }
    }

    /// The same object after it was moved.
    pub(crate) fn moved_to(&self, schema: &Identifier) -> Self {
        Self { schema: Some(schema.clone()), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_the_server_names_them() {
        let names = |list: &[&str]| argument_list(&list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["pg_catalog", "int4", "pg_catalog", "_timestamptz"]), "integer, timestamp with time zone[]");
        assert_eq!(
            names(&["pg_catalog", "text", "pg_catalog", "any", "pg_catalog", "char"]),
            "text, \"any\", \"char\""
        );
        assert_eq!(
            names(&["Aura", "_mood", "a", "x); DROP TABLE t; --"]),
            "\"Aura\"._mood, a.\"x); DROP TABLE t; --\""
        );
        assert_eq!(names(&[]), "");
    }
}
