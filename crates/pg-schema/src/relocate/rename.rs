//! Whether the schema can be renamed.

use pg_config::{Identifier, Session};

use super::grants::SchemaState;
use crate::{query::query, sql_error::SqlError};

/// Why the schema cannot be renamed.
pub(super) fn no_rename(
    left: &SchemaState,
    reached: &SchemaState,
    is_emptied: bool,
    extensions: &[Extension],
    rights: &Rights,
) -> Option<String> {
    let (from, to) = (&left.name, &reached.name);
    let stuck = extensions.iter().find(|extension| {
        !(extension.is_here
            && extension.is_relocatable
            && extension.is_whole
            && (rights.is_superuser || extension.is_own))
    });
    let owns_both = rights.may_rename && [left, reached].iter().all(|schema| schema.is_own && schema.may_set_defaults);
    if !is_emptied {
        Some(format!("something in {from} stays that belongs to no extension"))
    } else if let Some(extension) = stuck {
        Some(format!("extension {} could not be taken back to {from}", extension.name))
    } else if reached.has_objects || reached.has_extension {
        Some(format!("{to} is not empty"))
    } else if left.is_special || reached.is_special {
        Some("one of the schemas has a security label, or belongs to an extension".to_owned())
    } else if !left.is_granted_by_owner() || !reached.is_granted_by_owner() {
        Some("privileges on one of the schemas were granted by another role than its owner".to_owned())
    } else if !(rights.is_superuser || owns_both) {
        Some("that takes a superuser, or from version 15 on the database's owner".to_owned())
    } else {
        None
    }
}

/// What the session may do.
pub(super) struct Rights {
    pub(super) is_superuser: bool,
    /// Whether it may rename a schema that it owns, and give it to the app.
    pub(super) may_rename: bool,
}

/// An extension with members in the schema, or whose schema it is.
pub(super) struct Extension {
    pub(super) name: Identifier,
    pub(super) is_here: bool,
    is_relocatable: bool,
    is_own: bool,
    /// Whether all its members lie in this schema.
    is_whole: bool,
}

impl Extension {
    pub(super) fn read(session: &mut Session, schema: &Identifier) -> Result<Vec<Self>, SqlError> {
        let rows = query(session, include_str!("../sql/relocate/extensions.sql"), &[schema.as_str()])?;
        let extension = |row: &postgres::Row| Self {
            name: crate::facts::name(row, "name"),
            is_here: row.get("is_here"),
            is_relocatable: row.get("is_relocatable"),
            is_own: row.get("is_own"),
            is_whole: row.get("is_whole"),
        };
        Ok(rows.iter().map(extension).collect())
    }
}
