//! The extensions of the database.

use pg_config::{Identifier, Session};

use super::name;
use crate::{query::query, sql_error::SqlError};

/// An extension.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    /// Its name.
    pub(crate) name: Identifier,
    /// The schema that its objects lie in.
    pub(crate) schema: Identifier,
    /// Whether it can be moved to another.
    pub(crate) is_relocatable: bool,
}

pub(super) fn read(session: &mut Session) -> Result<Vec<Extension>, SqlError> {
    let rows = query(session, include_str!("extensions.sql"), &[])?;
    let extension = |row| Extension {
        name: name(row, "name"),
        schema: name(row, "schema"),
        is_relocatable: row.get("is_relocatable"),
    };
    Ok(rows.iter().map(extension).collect())
}
