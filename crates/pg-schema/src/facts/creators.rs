//! Who may make objects in the schema, and what of them will be the app's to use.

use pg_config::{Identifier, Session};

use super::name;
use crate::{Expected, query::query, sql_error::SqlError};

/// A role that may make objects in the schema.
#[derive(Clone, Debug)]
pub(crate) struct Creator {
    /// The role.
    pub(crate) role: Identifier,
    /// Whether it is the app's own role.
    pub(crate) is_app: bool,
    /// Whether the session may SET ROLE to it.
    pub(crate) may_be_acted_as: bool,
    /// Whether it has made objects here, or is the administrator; else it is only likely to.
    pub(crate) certain: bool,
    /// Whether the app will have every privilege on the tables it makes.
    pub(crate) tables: bool,
    /// The same for sequences.
    pub(crate) sequences: bool,
    /// Whether it is the app's role or the administrator, and may set the database's own search_path.
    pub(crate) sets_database_path: bool,
}

pub(super) fn read(session: &mut Session, expected: &Expected) -> Result<Vec<Creator>, SqlError> {
    let administrator = expected.administrator.as_ref().map_or("", Identifier::as_str);
    let names = [expected.schema.as_str(), expected.role.as_str(), administrator];
    let rows = query(session, include_str!("creators.sql"), &names)?;
    let creator = |row| Creator {
        role: name(row, "name"),
        is_app: row.get("is_app"),
        may_be_acted_as: row.get("may_be_acted_as"),
        certain: row.get("certain"),
        tables: row.get("tables"),
        sequences: row.get("sequences"),
        sets_database_path: row.get("sets_database_path"),
    };
    Ok(rows.iter().map(creator).collect())
}
