//! The session itself: its role, its database, and the two schemas that it looks into.

use pg_config::Identifier;
use postgres::Row;

use super::name;
use crate::{
    contents::{Book, Recorded},
    schema_comment::SchemaComment,
};

/// The session's role.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// `current_user`.
    pub(crate) name: Identifier,
    /// No privilege binds a superuser.
    pub(crate) is_superuser: bool,
    /// Whether it is or may act as the database's owner.
    pub(crate) owns_database: bool,
    /// Whether it may make schemas here.
    pub(crate) may_create_schema: bool,
    /// Whether it may make temporary tables here.
    pub(crate) may_create_temporary: bool,
    /// Whether its transactions are read-only unless they say otherwise.
    pub(crate) is_read_only: bool,
}

/// The session's database.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// `current_database()`.
    pub(crate) name: Identifier,
    /// Its owner.
    pub(crate) owner: Identifier,
    /// Its encoding.
    pub(crate) encoding: String,
}

/// The app's schema.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    /// Its owner.
    pub(crate) owner: Identifier,
    /// Whether the app's role is or may act as that owner.
    pub(crate) is_own: bool,
    /// Whether the role may see into it.
    pub(crate) usage: bool,
    /// Whether the role may create in it.
    pub(crate) create: bool,
    /// The comment on it, whoever wrote it.
    pub(crate) comment: Option<String>,
    /// What of it is ours.
    pub(crate) remark: SchemaComment,
    /// What is recorded of its contents.
    pub(crate) recorded: Recorded,
    /// Where migration tools keep their books in it.
    pub(crate) books: Vec<Book>,
}

/// The schema `public`.
#[derive(Clone, Debug)]
pub(crate) struct Public {
    /// Whether the role may create in it.
    pub(crate) create: bool,
    /// Its owner, where there is such a schema; `pg_database_owner` since version 15.
    pub(crate) owner: Option<Identifier>,
    /// Through which grants the role may create in it, as SQL: `PUBLIC` or quoted roles.
    pub(crate) creators: Vec<String>,
}

impl Role {
    pub(super) fn of(row: &Row) -> Self {
        Self {
            name: name(row, "role"),
            is_superuser: row.get("is_superuser"),
            owns_database: row.get("owns_database"),
            may_create_schema: row.get("may_create_schema"),
            may_create_temporary: row.get("may_create_temporary"),
            is_read_only: row.get("is_read_only"),
        }
    }
}

impl Database {
    pub(super) fn of(row: &Row) -> Self {
        Self { name: name(row, "database"), owner: name(row, "database_owner"), encoding: row.get("encoding") }
    }
}

impl Schema {
    pub(super) fn of(row: &Row) -> Option<Self> {
        let comment: Option<String> = row.get("schema_comment");
        row.get::<_, bool>("schema_exists").then(|| Self {
            owner: name(row, "schema_owner"),
            is_own: row.get("owns_schema"),
            usage: row.get("schema_usage"),
            create: row.get("schema_create"),
            remark: SchemaComment::read(comment.as_deref()),
            comment,
            recorded: Recorded::read(
                row.get("has_contents_record"),
                row.get::<_, Option<String>>("contents_record").as_deref(),
            ),
            books: row.get::<_, Vec<String>>("books").iter().filter_map(|place| Book::at(place)).collect(),
        })
    }
}

impl Public {
    pub(super) fn of(row: &Row) -> Self {
        Self {
            create: row.get("public_create"),
            owner: row.get::<_, Option<String>>("public_owner").map(Identifier::from_catalog),
            creators: row.get::<_, Vec<String>>("public_creators").into_iter().map(grantee).collect(),
        }
    }
}

/// To whom something is granted, as SQL; no role has an empty name.
fn grantee(name: String) -> String {
    if name.is_empty() { "PUBLIC".to_owned() } else { Identifier::from_catalog(name).to_string() }
}

#[cfg(test)]
mod tests {
    use super::grantee;

    /// Whoever is between the app's session and the server may answer what he likes.
    #[test]
    fn what_the_server_says_of_grantees_is_a_name_and_no_sql() {
        assert_eq!(grantee(String::new()), "PUBLIC");
        assert_eq!(grantee("PUBLIC; ALTER ROLE app SUPERUSER".to_owned()), "\"PUBLIC; ALTER ROLE app SUPERUSER\"");
    }
}
