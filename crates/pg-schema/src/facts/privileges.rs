//! What the app's role may not do with the relations of its schema.

use pg_config::Session;

use super::object;
use crate::{Expected, object::Object, query::query, sql_error::SqlError};

/// A relation on which the role lacks a privilege.
#[derive(Clone, Debug)]
pub(crate) struct Lacking {
    /// The relation.
    pub(crate) object: Object,
    /// The privileges, comma-separated.
    pub(crate) privileges: String,
}

pub(super) fn read(session: &mut Session, expected: &Expected) -> Result<Vec<Lacking>, SqlError> {
    let names = [expected.schema.as_str(), expected.role.as_str()];
    let rows = query(session, include_str!("privileges.sql"), &names)?;
    let lacking = |row| Some(Lacking { object: object(row, &expected.schema)?, privileges: row.get("privileges") });
    Ok(rows.iter().filter_map(lacking).collect())
}
