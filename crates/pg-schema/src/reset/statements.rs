//! The statements of a reset.

use pg_config::{Identifier, Literal};
use postgres::Row;

/// Writes the comment on a database, or takes it away.
pub(super) fn comment_on(database: &Identifier, comment: Option<&str>) -> String {
    match comment {
        Some(comment) => format!("COMMENT ON DATABASE {database} IS {}", Literal(comment)),
        None => format!("COMMENT ON DATABASE {database} IS NULL"),
    }
}

/// Lets sessions into a database, or keeps them out.
pub(super) fn allow(database: &Identifier, are_allowed: bool) -> String {
    format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {are_allowed}")
}

/// Gives a database another name.
pub(super) fn rename(from: &Identifier, to: &Identifier) -> String {
    format!("ALTER DATABASE {from} RENAME TO {to}")
}

/// The statement that makes a database like another one: what is as in `template0` is left out.
pub(super) fn create(database: &Identifier, old: &Row, template0: &Row) -> String {
    let text = |column: &str| old.get::<_, Option<String>>(column);
    let differs = |column: &str| text(column) != template0.get::<_, Option<String>>(column);
    let literal = |column: &str| Literal(&text(column).unwrap_or_default()).to_string();
    let name = |column: &str| Identifier::from_catalog(text(column).unwrap_or_default());
    let mut options = format!(" ENCODING {}", literal("encoding"));
    if ["encoding", "collate", "ctype", "provider", "locale", "rules"].into_iter().any(differs) {
        let provider = match text("provider").as_deref() {
            Some("i") => " LOCALE_PROVIDER icu",
            Some("b") => " LOCALE_PROVIDER builtin",
            Some(_) => " LOCALE_PROVIDER libc",
            // Before 15 there is no other.
            None => "",
        };
        options += &format!("{provider} LC_COLLATE {} LC_CTYPE {}", literal("collate"), literal("ctype"));
        if text("locale").is_some() {
            let keyword = if text("provider").as_deref() == Some("b") { "BUILTIN_LOCALE" } else { "ICU_LOCALE" };
            options += &format!(" {keyword} {}", literal("locale"));
        }
        if text("rules").is_some() {
            options += &format!(" ICU_RULES {}", literal("rules"));
        }
    }
    if differs("tablespace") {
        options += &format!(" TABLESPACE {}", name("tablespace"));
    }
    if text("owner") != text("administrator") {
        options = format!(" OWNER {}{options}", name("owner"));
    }
    format!("CREATE DATABASE {database}{options} TEMPLATE template0")
}
