//! What lies in the schema, or inherits from what does, and is not the app's: what may be given to it, and what must stay
//! with its owner.

use std::collections::HashMap;

use pg_config::{Identifier, Session};

use super::object;
use crate::{Expected, object::Object, query::query, sql_error::SqlError};

/// Objects of the schema that the app's role does not own.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfOtherOwners {
    /// Those that it should own.
    pub(crate) owned: Vec<Object>,
    /// Tables elsewhere that inherit from a table of the schema, and that table.
    pub(crate) children: Vec<(Object, Identifier)>,
    /// Routines that run with their owner's rights.
    pub(crate) definers: Vec<Object>,
    /// Those that something uses which stays another role's, and what that is.
    pub(crate) used_elsewhere: Vec<(Object, String)>,
}

impl OfOtherOwners {
    /// Reads them; what uses them is asked where there are any.
    pub(crate) fn read(session: &mut Session, expected: &Expected) -> Result<Self, SqlError> {
        let names = [expected.schema.as_str(), expected.role.as_str()];
        let rows = query(session, include_str!("other_owners.sql"), &names)?;
        let mut found = Self::default();
        if rows.is_empty() {
            return Ok(found);
        }
        let used: HashMap<(u32, u32), String> = query(session, include_str!("used_elsewhere.sql"), &names)?
            .iter()
            .map(|row| ((row.get("class"), row.get("object")), row.get("used_by")))
            .collect();
        for row in &rows {
            let Some(object) = object(row, &expected.schema) else { continue };
            if let Some(parent) = row.get::<_, Option<String>>("parent") {
                found.children.push((object, Identifier::from_catalog(parent)));
                continue;
            }
            match used.get(&(row.get("class"), row.get("object"))) {
                Some(by) => found.used_elsewhere.push((object, by.clone())),
                None if row.get("is_definers") => found.definers.push(object),
                None => found.owned.push(object),
            }
        }
        Ok(found)
    }
}
