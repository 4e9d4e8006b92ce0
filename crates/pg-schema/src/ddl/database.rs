//! Statements on databases.

use pg_config::{Identifier, Literal};
use postgres::Row;

/// From `template0`: whatever somebody left in `template1` is not the app's.
pub fn create_database(database: &Identifier) -> String {
    format!("CREATE DATABASE {database} ENCODING 'UTF8' TEMPLATE template0")
}

/// The same where the server's own locale cannot hold UTF-8: with one that can hold any text, which since version 17 knows
/// the letters of UTF-8 too.
pub(crate) fn create_database_in_c(database: &Identifier, version_number: i32) -> String {
    let locale = match version_number {
        ..170_000 => "LOCALE 'C'",
        _ => "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'",
    };
    format!("CREATE DATABASE {database} ENCODING 'UTF8' {locale} TEMPLATE template0")
}

/// Refused while anybody is connected.
pub fn drop_database(database: &Identifier) -> String {
    format!("DROP DATABASE {database}")
}

/// Gives a database to another role.
pub fn alter_database_owner(database: &Identifier, role: &Identifier) -> String {
    format!("ALTER DATABASE {database} OWNER TO {role}")
}

/// Writes the comment on a database, or takes it away.
pub fn comment_on_database(database: &Identifier, comment: Option<&str>) -> String {
    match comment {
        Some(comment) => format!("COMMENT ON DATABASE {database} IS {}", Literal(comment)),
        None => format!("COMMENT ON DATABASE {database} IS NULL"),
    }
}

/// Lets sessions into a database, or keeps them out.
pub fn allow_connections(database: &Identifier, are_allowed: bool) -> String {
    format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {are_allowed}")
}

/// Gives a database another name.
pub fn rename_database(from: &Identifier, to: &Identifier) -> String {
    format!("ALTER DATABASE {from} RENAME TO {to}")
}

/// Bounds how many sessions may be in a database; -1: no bound.
pub fn limit_connections(database: &Identifier, limit: i32) -> String {
    format!("ALTER DATABASE {database} CONNECTION LIMIT {limit}")
}

/// Writes down the version of the library by which the database's texts are sorted.
pub fn refresh_database_collation(database: &Identifier) -> String {
    format!("ALTER DATABASE {database} REFRESH COLLATION VERSION")
}

/// CREATE is the right to make the schema.
pub fn grant_database(database: &Identifier, role: &Identifier) -> String {
    format!("GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {role}")
}

/// Gives a database these privileges alone: to whom, or nothing for everybody; what; whether they may grant it.
pub(crate) fn grant_database_exactly(
    database: &Identifier,
    owner: &Identifier,
    privileges: &[(String, String, bool)],
) -> Vec<String> {
    // The owner's first: a grant to others is by them.
    let mut statements = vec![format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC, {owner}")];
    for (grantee, privileges, option) in privileges {
        let grantee = match grantee.as_str() {
            "" => "PUBLIC".to_owned(),
            role => Identifier::from_catalog(role).to_string(),
        };
        let option = if *option { " WITH GRANT OPTION" } else { "" };
        statements.push(format!("GRANT {privileges} ON DATABASE {database} TO {grantee}{option}"));
    }
    statements
}

/// The statement that makes a database like another one: what is as in `template0` is left out.
pub(crate) fn create_database_like(database: &Identifier, old: &Row, template0: &Row) -> String {
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
