//! Roles that reach what moves, and must reach it after.

use pg_config::{Identifier, Session};

use super::item::{Item, RELATIONS, ROUTINES, TYPES};
use crate::{query::query, sql_error::SqlError};

/// A role that has to do with the objects.
pub(super) struct User {
    /// Empty is PUBLIC.
    pub(super) name: String,
    pub(super) may_use: bool,
    pub(super) may_use_other: bool,
}

impl User {
    pub(super) fn role(&self) -> Option<Identifier> {
        (!self.name.is_empty()).then(|| Identifier::from_catalog(&self.name))
    }
}

/// Roles that have to do with what moves, and whether they may use a schema, and another one.
pub(super) fn users(
    session: &mut Session,
    schema: &Identifier,
    other: &Identifier,
    moves: &[Item],
) -> Result<Vec<User>, SqlError> {
    let oids = |class| {
        let oids = moves.iter().filter(|item| item.key.0 == class).map(|item| item.key.1.to_string());
        oids.collect::<Vec<_>>().join(",")
    };
    let [relations, routines, types] = [RELATIONS, ROUTINES, TYPES].map(oids);
    let parameters = [schema.as_str(), other.as_str(), &relations, &routines, &types];
    let rows = query(session, include_str!("../sql/relocate/grantees.sql"), &parameters)?;
    let user = |row: &postgres::Row| User {
        name: row.get("role"),
        may_use: row.get("may_use"),
        may_use_other: row.get("may_use_other"),
    };
    Ok(rows.iter().map(user).collect())
}
