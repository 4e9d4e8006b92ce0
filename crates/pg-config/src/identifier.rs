//! SQL names and literals: the one place where text becomes part of a statement.

use std::fmt;

use thiserror::Error;

use pg_connect::{WORKFLOW_COMMAND, is_hidden, is_obeyed};

/// The name of a role, database, schema or relation. `Display` writes it as SQL, quoted where it must be, so that a
/// screen can show it: what is hidden in it is written as `U&"\XXXX"`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier(String);

/// Why a text cannot name an SQL object.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InvalidIdentifier {
    /// PostgreSQL has no empty names.
    #[error("a name cannot be empty")]
    Empty,
    /// `NAMEDATALEN` is 64: a longer name would be cut without an error.
    #[error("{0:?} is {1} bytes long; PostgreSQL cuts names after 63 bytes\n  help: give a shorter name")]
    TooLong(String, usize),
    /// No text in PostgreSQL holds a zero byte.
    #[error("{0:?} holds a zero byte")]
    Zero(String),
    /// PostgreSQL would take it, and psql's commands and connection strings would not.
    #[error("{0:?} holds a line break: psql could not connect by that name\n  help: give another name")]
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

    /// Quoted where it must be, and nothing escaped: as the server reads names that are no SQL, in the text of
    /// `search_path` or of a `regclass`.
    pub fn in_text(&self) -> String {
        if is_plain(&self.0) { self.0.clone() } else { format!("\"{}\"", self.0.replace('"', "\"\"")) }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !is_obeyed(&self.0) {
            return f.write_str(&self.in_text());
        }
        write!(
            f,
            "U&\"{}\"",
            escaped(&self.0, '"', |code| if code > 0xffff {
                format!("\\+{code:06X}")
            } else {
                format!("\\{code:04X}")
            })
        )
    }
}

/// A string constant; `Display` writes it as SQL, whatever `standard_conforming_strings` is, and so that a screen can
/// show it.
#[derive(Clone, Copy, Debug)]
pub struct Literal<'a>(pub &'a str);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !is_obeyed(self.0) && !self.0.contains('\\') {
            return write!(f, "'{}'", self.0.replace('\'', "''"));
        }
        write!(
            f,
            "E'{}'",
            escaped(self.0, '\'', |code| if code > 0xffff {
                format!("\\U{code:08X}")
            } else {
                format!("\\u{code:04X}")
            })
        )
    }
}

/// The inside of quotes in which a backslash escapes; `hex` writes a character by its number.
fn escaped(text: &str, quote: char, hex: impl Fn(u32) -> String) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if letter == quote || letter == '\\' => escaped.extend([letter, letter]),
            '[' if text[..=at].ends_with(WORKFLOW_COMMAND) => escaped.push_str(&hex(letter.into())),
            _ if is_hidden(letter) => escaped.push_str(&hex(letter.into())),
            _ => escaped.push(letter),
        }
    }
    escaped
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
    fn what_a_screen_would_obey_is_written_by_its_number() {
        for (name, sql) in [
            ("e\u{1b}[2J", r#"U&"e\001B[2J""#),
            ("a\"\\\u{202e}b", r#"U&"a""\\\202Eb""#),
            ("tag\u{e0041}", r#"U&"tag\+0E0041""#),
            ("##[error]", "U&\"##\\005Berror]\""),
            (r"a\b", r#""a\b""#),
        ] {
            assert_eq!(Identifier::from_catalog(name).to_string(), sql);
        }
        assert_eq!(Identifier::from_catalog("e\u{1b}\"").in_text(), "\"e\u{1b}\"\"\"");
        for (text, sql) in
            [("a\nb'\\", r"E'a\u000Ab''\\'"), ("\u{2066}\u{e0041}", r"E'\u2066\U000E0041'"), ("##[x", r"E'##\u005Bx'")]
        {
            assert_eq!(Literal(text).to_string(), sql);
        }
    }

    #[test]
    fn literals_survive_backslashes() {
        assert_eq!(Literal("l'été").to_string(), "'l''été'");
        assert_eq!(Literal(r"a\'b").to_string(), r"E'a\\''b'");
    }
}
