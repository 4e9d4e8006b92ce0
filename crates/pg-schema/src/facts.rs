//! What is true: the catalog as the app's own session sees it, read in a handful of queries whatever
//! the number of tables. What the setup makes, and what several checks look at, is here; what one check alone needs, it
//! reads itself. `pg_catalog` alone: `information_schema` hides what one may not see.

pub(crate) mod acting_owners;
mod creators;
mod extensions;
pub(crate) mod further_roles;
mod misplaced;
mod objects;
pub(crate) mod other_owners;
mod path;
mod privileges;
mod queries;
mod session;
mod stored_settings;

use std::time::Duration;

use pg_config::{Digest, Encryption, Identifier, Session};
use postgres::Row;

pub(crate) use self::misplaced::library;
pub(crate) use self::queries::filled;
pub(crate) use self::{
    acting_owners::LackingOwner,
    creators::Creator,
    extensions::Extension,
    path::RoleSchema,
    privileges::Lacking,
    session::Schema,
    stored_settings::{StoredSetting, stored_role, that_counts},
};
use self::{
    further_roles::FurtherRoles,
    objects::Objects,
    other_owners::OfOtherOwners,
    path::SearchPath,
    session::{Database, Public, Role},
};
pub use self::{misplaced::Misplaced, path::leads_home, queries::catalog_queries};
use crate::{
    Expected,
    object::{Kind, Object, argument_list},
    query::query_one,
    sql_error::SqlError,
    transaction::{OriginalPath, in_transaction},
};

/// The catalog, as far as the setup and more than one check need it.
#[derive(Clone, Debug)]
pub struct Facts {
    /// `server_version`, such as `15.18 (Debian …)`.
    pub version: String,
    /// `server_version_num`.
    pub(crate) version_number: i32,
    /// When the server was started, as text: tells one server from another.
    pub(crate) server_started: String,
    /// A standby: nothing can be written.
    pub(crate) in_recovery: bool,
    /// Who may read this very session along.
    pub encryption: Encryption,
    /// Whether the process that serves the session was there long before it.
    pub(crate) is_served_by_older: bool,
    /// The session's role.
    pub(crate) role: Role,
    /// The session's database.
    pub(crate) database: Database,
    /// Where unqualified names lead.
    pub(crate) path: SearchPath,
    /// What is stored for the role and the database, the path too.
    pub(crate) settings: Vec<StoredSetting>,
    /// The app's schema, if it exists.
    pub(crate) schema: Option<Schema>,
    /// The schema `public`.
    pub(crate) public: Public,
    /// How much of what there is.
    pub(crate) objects: Objects,
    /// Relations on which the role lacks a privilege.
    pub(crate) lacking: Vec<Lacking>,
    /// What roles lack in whose name the server acts for the app.
    pub(crate) lacking_owners: Vec<LackingOwner>,
    /// Objects of the schema that the app's role does not own.
    pub(crate) other_owners: OfOtherOwners,
    /// Objects outside the schema that are the app's, or lie in `public`.
    pub(crate) misplaced: Vec<Misplaced>,
    /// What keeps the copies of tables from being dropped: a copy's oid, and the oid of a relation that
    /// must go with it, or 0 where no relation can.
    pub(crate) references: Vec<(u32, u32)>,
    /// The extensions of the database.
    pub(crate) extensions: Vec<Extension>,
    /// Who may make objects in the schema.
    pub(crate) creators: Vec<Creator>,
    /// The further roles.
    pub(crate) further: FurtherRoles,
}

impl Facts {
    /// Reads the catalog by the app's own session, in one transaction that changes nothing.
    pub fn read(session: &mut Session, expected: &Expected) -> Result<Self, SqlError> {
        in_transaction(session, |session, given| Self::read_within(session, given, expected))
    }

    fn read_within(session: &mut Session, given: &OriginalPath, expected: &Expected) -> Result<Self, SqlError> {
        let row = query_one(session, include_str!("facts/session.sql"), &[expected.schema.as_str()])?;
        let settings = StoredSetting::read(session, expected)?;
        let path = SearchPath::read(session, given, &row, &settings)?;
        let objects = Objects::read(session, expected)?;
        let misplaced = if objects.has_elsewhere { misplaced::read(session, expected)? } else { Vec::new() };
        let other_owners =
            if objects.has_other_owners { OfOtherOwners::read(session, expected)? } else { OfOtherOwners::default() };
        let creators = creators::read(session, expected)?;
        let schema = Schema::of(&row);
        let granted = schema.as_ref().map(|schema| schema.remark.roles.clone()).unwrap_or_default();
        Ok(Self {
            version: row.get("version"),
            version_number: row.get("version_number"),
            server_started: row.get("server_started"),
            in_recovery: row.get("in_recovery"),
            encryption: session.encryption.clone(),
            is_served_by_older: is_older(row.get("backend_age"), session),
            role: Role::of(&row),
            database: Database::of(&row),
            path,
            settings,
            schema,
            public: Public::of(&row),
            // Else the app owns everything, and has what an owner has.
            lacking: match objects.has_other_owners || objects.has_grants {
                true => privileges::read(session, expected)?,
                false => Vec::new(),
            },
            lacking_owners: match objects.has_acting_owners {
                true => acting_owners::read(session, expected, &other_owners)?,
                false => Vec::new(),
            },
            other_owners,
            references: misplaced::references(session, &misplaced)?,
            misplaced,
            extensions: if objects.has_extensions { extensions::read(session)? } else { Vec::new() },
            objects,
            further: further_roles::read(session, expected, &creators, &granted)?,
            creators,
        })
    }

    /// Tables of the app's own role outside its schema. A superuser's may be anybody's.
    pub(crate) fn tables_elsewhere<'a>(&'a self, expected: &'a Expected) -> impl Iterator<Item = &'a Misplaced> {
        let is_own = |found: &&Misplaced| found.object.owner.as_ref() == Some(&expected.role);
        let tables = self.misplaced.iter().filter(|found| found.object.kind == Kind::Table);
        tables.filter(is_own).filter(|found| !self.role.is_superuser && found.library.is_none())
    }

    /// The first of them where the schema has no table: migrations would make empty ones beside them.
    pub fn table_elsewhere<'a>(&'a self, expected: &'a Expected) -> Option<&'a Misplaced> {
        self.tables_elsewhere(expected).next().filter(|_| self.objects.tables == 0)
    }

    /// The schema that seems to be the app's under another name: the app's is not there, and all that its role owns
    /// elsewhere lies in that one.
    pub(crate) fn renamed_schema<'a>(&'a self, expected: &'a Expected) -> Option<&'a Identifier> {
        let first = self.table_elsewhere(expected).filter(|_| self.schema.is_none())?.object.schema.as_ref()?;
        let mut own = self.misplaced.iter().filter(|found| found.object.owner.as_ref() == Some(&expected.role));
        let is_all = own.all(|found| found.object.schema.as_ref() == Some(first));
        Some(first).filter(|schema| is_all && schema.as_str() != "public")
    }

    /// Whether `public` holds nothing but extensions' members: else another application may live there.
    pub(crate) fn public_is_free(&self) -> bool {
        let is_in_public =
            |found: &Misplaced| found.object.schema.as_ref().is_some_and(|name| name.as_str() == "public");
        !self.misplaced.iter().any(is_in_public)
    }

    /// Extensions that the app needs and that are not there.
    pub(crate) fn missing_extensions<'a>(&self, expected: &'a Expected) -> Vec<&'a Identifier> {
        let is_there = |name: &Identifier| self.extensions.iter().any(|found| found.name == *name);
        expected.extensions.iter().filter(|name| !is_there(name)).collect()
    }

    /// The server's major version.
    pub(crate) fn major(&self) -> i32 {
        self.version_number / 10_000
    }

    /// The digest of the last verified run, where one is recorded.
    pub fn recorded_digest(&self) -> Option<Digest> {
        self.schema.as_ref()?.remark.digest.clone()
    }
}

/// The app's schema, if it exists, and the server's major version.
pub(crate) fn read_schema(session: &mut Session, expected: &Expected) -> Result<Option<(Schema, i32)>, SqlError> {
    let row = query_one(session, include_str!("facts/session.sql"), &[expected.schema.as_str()])?;
    Ok(Schema::of(&row).map(|schema| (schema, row.get::<_, i32>("version_number") / 10_000)))
}

/// Whether a process of this age, in milliseconds, has served somebody else before.
fn is_older(age: Option<i64>, session: &Session) -> bool {
    // The clocks are two, and a busy server forks late.
    const SLACK: Duration = Duration::from_secs(1);
    let age = age.and_then(|age| u64::try_from(age).ok()).map(Duration::from_millis);
    age.is_some_and(|age| age > session.opened.elapsed() + SLACK)
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
        table: None,
        owner: Some(name(row, "owner")),
    })
}
