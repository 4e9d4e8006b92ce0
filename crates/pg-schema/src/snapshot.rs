//! The catalog before and after a command: what appeared, and where.

use std::collections::HashMap;

use pg_config::{Identifier, Session};

use crate::{Expected, facts::object, object::Object, query::query, sql_error::SqlError, transaction::in_transaction};

/// Every lasting object of a database, by class and oid; temporary and extension members left out.
pub struct Snapshot(HashMap<(u32, u32), Object>);

/// What appeared between two snapshots.
#[derive(Clone, Debug, Default)]
pub struct Landed {
    /// In the app's schema.
    pub inside: Vec<Object>,
    /// Anywhere else.
    pub outside: Vec<Object>,
}

impl Snapshot {
    /// Reads the catalog.
    pub fn take(session: &mut Session, expected: &Expected) -> Result<Self, SqlError> {
        let rows = in_transaction(session, |session, _| query(session, include_str!("sql/snapshot.sql"), &[]))?;
        let objects = rows
            .iter()
            .filter_map(|row| Some(((row.get("class"), row.get("object")), object(row, &expected.schema)?)))
            .collect();
        Ok(Self(objects))
    }

    /// What is in `after` and was not here; an object that moved to another schema appeared there.
    pub fn landed(&self, after: &Self, schema: &Identifier) -> Landed {
        let mut landed = Landed::default();
        let appeared =
            after.0.iter().filter(|(key, object)| self.0.get(key).is_none_or(|before| before.schema != object.schema));
        for (_, object) in appeared {
            let place = if object.schema.as_ref() == Some(schema) { &mut landed.inside } else { &mut landed.outside };
            place.push(object.clone());
        }
        landed.inside.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        landed.outside.sort_by(|a, b| (&a.schema, a.kind, &a.name).cmp(&(&b.schema, b.kind, &b.name)));
        landed
    }
}
