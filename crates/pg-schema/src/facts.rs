//! What is true: the catalog as the app's own session sees it, read in a handful of queries whatever
//! the number of tables. `pg_catalog` alone: `information_schema` hides what one may not see.

pub(crate) mod foreign;
mod misplaced;
mod queries;

use std::time::Duration;

use pg_config::{Digest, Encryption, Identifier, Session};
use postgres::Row;

use self::foreign::Foreign;
pub use self::{misplaced::Misplaced, queries::catalog_queries};
use crate::{
    Expected,
    object::{Kind, Object, argument_list},
    query::{Given, SqlError, in_transaction, passing, query, query_one},
    remark::Remark,
};

/// The catalog, as far as the checks and the provisioning need it.
#[derive(Clone, Debug)]
pub struct Facts {
    /// `server_version`, such as `15.18 (Debian …)`.
    pub version: String,
    /// `server_version_num`.
    pub version_number: i32,
    /// Who may read this very session along.
    pub encryption: Encryption,
    /// Whether the process that serves the session was there long before it.
    pub is_served_by_older: bool,
    /// A standby: nothing can be written.
    pub in_recovery: bool,
    /// `current_user`.
    pub role: Identifier,
    /// No privilege binds a superuser.
    pub is_superuser: bool,
    /// `current_database()`.
    pub database: Identifier,
    /// The database's owner.
    pub database_owner: Identifier,
    /// Whether the app's role is or may act as that owner.
    pub owns_database: bool,
    /// The database's encoding.
    pub encoding: String,
    /// Whether the role may make schemas here.
    pub may_create_schema: bool,
    /// Whether the role may make temporary tables here.
    pub may_create_temporary: bool,
    /// Where an unqualified CREATE TABLE would go.
    pub current_schema: Option<Identifier>,
    /// The session's search_path.
    pub search_path: String,
    /// Every stored setting of the path, the one that wins first.
    pub path_layers: Vec<PathLayer>,
    /// What the stored settings alone would give this role.
    pub stored_path: StoredPath,
    /// A schema named like the role that is not the app's, and whether nothing lies in it: `"$user"` leads there.
    pub role_schema: Option<RoleSchema>,
    /// Whether the role's transactions are read-only unless they say otherwise.
    pub is_read_only: bool,
    /// The app's schema, if it exists.
    pub schema: Option<SchemaFacts>,
    /// Whether the role may create in `public`.
    pub public_create: bool,
    /// The owner of `public`, where there is such a schema; `pg_database_owner` since version 15.
    pub public_owner: Option<Identifier>,
    /// Through which grants the role may create in `public`, as SQL: `PUBLIC` or quoted roles.
    pub public_creators: Vec<String>,
    /// When the server was started, as text: tells one server from another.
    pub server_started: String,
    /// Tables in the schema, partitioned ones included.
    pub tables: i64,
    /// Views, materialized views and foreign tables in the schema.
    pub views: i64,
    /// Sequences in the schema.
    pub sequences: i64,
    /// Relations on which the role lacks a privilege, and which ones it lacks.
    pub lacking: Vec<(Object, String)>,
    /// Objects of the schema that another role owns, and that the app's role should own.
    pub foreign_owned: Vec<Object>,
    /// Those routines among them that run with their owner's rights, which are left out there.
    pub definers: Vec<Object>,
    /// Those objects that something uses which stays another role's, and what that is; left out there, too.
    pub used_elsewhere: Vec<(Object, String)>,
    /// Objects outside the schema that are the app's, or lie in `public`.
    pub misplaced: Vec<Misplaced>,
    /// What keeps the copies of tables from being dropped: a copy's oid, and the oid of a relation that
    /// must go with it, or 0 where no relation can.
    pub references: Vec<(u32, u32)>,
    /// Name and schema of each extension, and whether it can be moved to another.
    pub extensions: Vec<(Identifier, Identifier, bool)>,
    /// Who may make objects in the schema.
    pub creators: Vec<Creator>,
}

/// A schema named like the app's role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSchema {
    /// Its name.
    pub name: Identifier,
    /// Whether nothing lies in it.
    pub is_empty: bool,
}

/// The app's schema.
#[derive(Clone, Debug)]
pub struct SchemaFacts {
    /// Its owner.
    pub owner: Identifier,
    /// Whether the app's role is or may act as that owner.
    pub is_own: bool,
    /// Whether the role may see into it.
    pub usage: bool,
    /// Whether the role may create in it.
    pub create: bool,
    /// The comment on it, whoever wrote it.
    pub comment: Option<String>,
    /// What of it is ours.
    pub remark: Remark,
}

/// A stored setting of the search_path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathLayer {
    /// `role in database`, `role`, `database` or `all roles`.
    pub layer: String,
    /// The setting's value.
    pub path: String,
    /// When it was changed last, or another setting beside it, where the server keeps track of it (`track_commit_timestamp`).
    pub since: Option<String>,
}

/// What the stored settings of the path come to, tried out.
#[derive(Clone, Debug, Default)]
pub struct StoredPath {
    /// Where an unqualified CREATE TABLE would go.
    pub schema: Option<Identifier>,
    /// Schemas that it names and that do not exist.
    pub missing: Vec<String>,
    /// Schemas that the session's own path names and that do not exist.
    pub missing_in_session: Vec<String>,
}

/// A role that may make objects in the schema.
#[derive(Clone, Debug)]
pub struct Creator {
    /// The role.
    pub role: Identifier,
    /// Whether it is the app's own role.
    pub is_app: bool,
    /// Whether the session may SET ROLE to it.
    pub may_be_acted_as: bool,
    /// Whether it has made objects here, or is the administrator; else it is only likely to.
    pub certain: bool,
    /// Whether the app will have every privilege on the tables it makes.
    pub tables: bool,
    /// The same for sequences.
    pub sequences: bool,
    /// Whether it is the app's role or the administrator, and may set the database's own search_path.
    pub sets_database_path: bool,
}

impl Facts {
    /// Tables of the app's own role outside its schema. A superuser's may be anybody's.
    pub(crate) fn tables_elsewhere<'a>(&'a self, expected: &'a Expected) -> impl Iterator<Item = &'a Misplaced> {
        let is_own = |found: &&Misplaced| found.object.owner.as_ref() == Some(&expected.role);
        let tables = self.misplaced.iter().filter(|found| found.object.kind == Kind::Table);
        tables.filter(is_own).filter(|_| !self.is_superuser)
    }

    /// The first of them where the schema has no table: migrations would make empty ones beside them.
    pub fn table_elsewhere<'a>(&'a self, expected: &'a Expected) -> Option<&'a Misplaced> {
        self.tables_elsewhere(expected).next().filter(|_| self.tables == 0)
    }

    /// Whether `public` holds nothing but extensions' members: else another application may live there.
    pub(crate) fn public_is_free(&self) -> bool {
        let is_in_public =
            |found: &Misplaced| found.object.schema.as_ref().is_some_and(|name| name.as_str() == "public");
        !self.misplaced.iter().any(is_in_public)
    }

    /// Reads the catalog by the app's own session, in one transaction that changes nothing.
    pub fn read(session: &mut Session, expected: &Expected) -> Result<Self, SqlError> {
        in_transaction(session, |session, given| Self::read_within(session, given, expected))
    }

    fn read_within(session: &mut Session, given: &Given, expected: &Expected) -> Result<Self, SqlError> {
        let (schema, role) = (expected.schema.as_str(), expected.role.as_str());
        let administrator = expected.administrator.as_ref().map_or("", Identifier::as_str);
        let row = query_one(session, include_str!("sql/session.sql"), &[schema])?;
        let path_layers: Vec<PathLayer> = query(session, include_str!("sql/settings.sql"), &[role])?
            .iter()
            .map(|row| PathLayer { layer: row.get("layer"), path: row.get("value"), since: row.get("since") })
            .collect();
        let counts = query_one(session, include_str!("sql/counts.sql"), &[schema])?;
        let misplaced = misplaced::read(session, expected)?;
        let remark = Remark::read(row.get("schema_comment"));
        let Foreign { owned: foreign_owned, definers, used_elsewhere } = Foreign::read(session, expected)?;
        let facts = Self {
            version: row.get("version"),
            version_number: row.get("version_number"),
            encryption: session.encryption.clone(),
            is_served_by_older: is_older(row.get("backend_age"), session),
            in_recovery: row.get("in_recovery"),
            role: name(&row, "role"),
            is_superuser: row.get("is_superuser"),
            database: name(&row, "database"),
            database_owner: name(&row, "database_owner"),
            owns_database: row.get("owns_database"),
            encoding: row.get("encoding"),
            may_create_schema: row.get("may_create_schema"),
            may_create_temporary: row.get("may_create_temporary"),
            current_schema: given.schema.clone().map(Identifier::from_catalog),
            stored_path: stored_path(session, path_layers.first(), &given.path)?,
            search_path: given.path.clone(),
            path_layers,
            is_read_only: row.get("is_read_only"),
            role_schema: row
                .get::<_, bool>("has_role_schema")
                .then(|| RoleSchema { name: name(&row, "role"), is_empty: row.get("role_schema_is_empty") }),
            schema: row.get::<_, bool>("schema_exists").then(|| SchemaFacts {
                owner: name(&row, "schema_owner"),
                is_own: row.get("owns_schema"),
                usage: row.get("schema_usage"),
                create: row.get("schema_create"),
                comment: row.get("schema_comment"),
                remark,
            }),
            public_create: row.get("public_create"),
            public_owner: row.get::<_, Option<String>>("public_owner").map(Identifier::from_catalog),
            public_creators: row.get::<_, Vec<String>>("public_creators").into_iter().map(grantee).collect(),
            server_started: row.get("server_started"),
            tables: counts.get("tables"),
            views: counts.get("views"),
            sequences: counts.get("sequences"),
            lacking: query(session, include_str!("sql/privileges.sql"), &[schema, role])?
                .iter()
                .filter_map(|row| Some((object(row, &expected.schema)?, row.get("privileges"))))
                .collect(),
            foreign_owned,
            definers,
            used_elsewhere,
            references: misplaced::references(session, &misplaced)?,
            misplaced,
            extensions: query(session, include_str!("sql/extensions.sql"), &[])?
                .iter()
                .map(|row| (name(row, "name"), name(row, "schema"), row.get("is_relocatable")))
                .collect(),
            creators: query(session, include_str!("sql/creators.sql"), &[schema, role, administrator])?
                .iter()
                .map(|row| Creator {
                    role: name(row, "name"),
                    is_app: row.get("is_app"),
                    may_be_acted_as: row.get("may_be_acted_as"),
                    certain: row.get("certain"),
                    tables: row.get("tables"),
                    sequences: row.get("sequences"),
                    sets_database_path: row.get("sets_database_path"),
                })
                .collect(),
        };
        Ok(facts)
    }

    /// The digest of the last verified run, where one is recorded.
    pub fn recorded_digest(&self) -> Option<Digest> {
        self.schema.as_ref()?.remark.digest.clone()
    }
}

/// Whether a process of this age, in milliseconds, has served somebody else before.
fn is_older(age: Option<i64>, session: &Session) -> bool {
    // The clocks are two, and a busy server forks late.
    const SLACK: Duration = Duration::from_secs(1);
    let age = age.and_then(|age| u64::try_from(age).ok()).map(Duration::from_millis);
    age.is_some_and(|age| age > session.opened.elapsed() + SLACK)
}

/// To whom something is granted, as SQL; no role has an empty name.
fn grantee(name: String) -> String {
    if name.is_empty() { "PUBLIC".to_owned() } else { Identifier::from_catalog(name).to_string() }
}

/// A name that a row of the catalog queries holds.
pub(crate) fn name(row: &Row, column: &str) -> Identifier {
    Identifier::from_catalog(row.get::<_, String>(column))
}

/// The object that a row of the catalog queries describes; it lies in `schema` unless the row says where.
pub(crate) fn object(row: &Row, schema: &Identifier) -> Option<Object> {
    Some(Object {
        kind: Kind::from_letter(row.get("kind"))?,
        schema: Some(row.try_get::<_, String>("schema").map_or_else(|_| schema.clone(), Identifier::from_catalog)),
        name: name(row, "name"),
        arguments: row.try_get::<_, Option<Vec<String>>>("arguments").ok().flatten().map(|names| argument_list(&names)),
        owner: Some(name(row, "owner")),
    })
}

/// Tries out the stored setting that wins: the path is set for one transaction, and the server asked
/// where it leads. The session's own path may differ by the URL's options.
fn stored_path(session: &mut Session, winner: Option<&PathLayer>, of_session: &str) -> Result<StoredPath, SqlError> {
    let stored = winner.map_or("", |winner| winner.path.as_str());
    let row =
        passing(session, "", |session| query_one(session, include_str!("sql/stored_path.sql"), &[stored, of_session]))?;
    Ok(StoredPath {
        schema: row.get::<_, Option<String>>("schema").map(Identifier::from_catalog),
        missing: row.get("missing"),
        missing_in_session: row.get("missing_in_session"),
    })
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
