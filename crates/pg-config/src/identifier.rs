//! SQL names and literals: the one place where text becomes part of a statement.

use std::fmt;

use thiserror::Error;

/// The name of a role, database, schema or relation. `Display` writes it as SQL, quoted where it must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier(String);

/// Why a text cannot name an SQL object.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InvalidIdentifier {
    /// PostgreSQL has no empty names.
    #[error("a name cannot be empty")]
    Empty,
    /// `NAMEDATALEN` is 64: a longer name would be cut without an error.
    #[error("{0:?} is {1} bytes long; PostgreSQL cuts names after 63 bytes, give a shorter one")]
    TooLong(String, usize),
    /// No text in PostgreSQL holds a zero byte.
    #[error("{0:?} holds a zero byte")]
    Zero(String),
    /// PostgreSQL would take it, and psql's commands and connection strings would not.
    #[error("{0:?} holds a line break: psql could not connect by that name, give another")]
    LineBreak(String),
}

impl Identifier {
    /// Takes any name that PostgreSQL can hold and its tools can reach: 1 to 63 bytes of UTF-8 without a
    /// zero byte or a line break.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidIdentifier> {
        let name = name.into();
        match name.len() {
            0 => Err(InvalidIdentifier::Empty),
            length @ 64.. => Err(InvalidIdentifier::TooLong(name, length)),
            _ if name.contains('\0') => Err(InvalidIdentifier::Zero(name)),
            _ if name.contains(['\n', '\r']) => Err(InvalidIdentifier::LineBreak(name)),
            _ => Ok(Self(name)),
        }
    }

    /// A name that the server itself gave.
    pub fn from_catalog(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The bare name, as the catalog holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_plain(&self.0) { f.write_str(&self.0) } else { write!(f, "\"{}\"", self.0.replace('"', "\"\"")) }
    }
}

/// A string constant; `Display` writes it as SQL, whatever `standard_conforming_strings` is.
#[derive(Clone, Copy, Debug)]
pub struct Literal<'a>(pub &'a str);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escape = if self.0.contains('\\') { "E" } else { "" };
        write!(f, "{escape}'{}'", self.0.replace('\\', "\\\\").replace('\'', "''"))
    }
}

/// A name that needs no quotes: lower case ASCII, and no word of the grammar.
fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && KEYWORDS.binary_search(&name).is_err()
}

/// Every keyword of PostgreSQL 13 to 18 that is not "unreserved" (the manual's appendix C), sorted.
const KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn quotes_what_must_be_quoted() {
        for (name, sql) in [
            ("aura", "aura"),
            ("aura_user2", "aura_user2"),
            ("Aura", "\"Aura\""),
            ("2aura", "\"2aura\""),
            ("user", "\"user\""),
            ("with space", "\"with space\""),
            ("œuvres d'été", "\"œuvres d'été\""),
            ("\"; drop schema aura; --", "\"\"\"; drop schema aura; --\""),
        ] {
            assert_eq!(Identifier::new(name).unwrap().to_string(), sql);
        }
    }

    #[test]
    fn takes_63_bytes_and_no_more() {
        assert!(Identifier::new("x".repeat(63)).is_ok());
        assert_eq!(Identifier::new("é".repeat(32)), Err(InvalidIdentifier::TooLong("é".repeat(32), 64)));
        assert_eq!(Identifier::new(""), Err(InvalidIdentifier::Empty));
        assert!(Identifier::new("a\0b").is_err());
        assert!(Identifier::new("a\nb").is_err());
    }

    #[test]
    fn literals_survive_backslashes() {
        assert_eq!(Literal("l'été").to_string(), "'l''été'");
        assert_eq!(Literal(r"a\'b").to_string(), r"E'a\\''b'");
    }
}
