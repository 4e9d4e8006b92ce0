//! How much of what lies in the schema, and whether there is anything to look at more closely.

use pg_config::Session;

use crate::{Expected, query::query_one, sql_error::SqlError};

/// What there is. What says that there is something to look at may say it once too often, and never too seldom: a
/// longer query that is not asked costs nothing.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    /// Tables in the schema, partitioned ones included.
    pub(crate) tables: i64,
    /// Sequences in the schema.
    pub(crate) sequences: i64,
    /// Functions and procedures in the schema.
    pub(crate) routines: i64,
    /// Whether another role than the app's may own something in the schema.
    pub(crate) has_other_owners: bool,
    /// Whether privileges were granted on something in the schema, or taken away.
    pub(crate) has_grants: bool,
    /// Whether the server may act there in another role's name than the app's, or use with the app's what lies elsewhere.
    pub(crate) has_acting_owners: bool,
    /// Whether row-level security is on for a table of the schema.
    pub(crate) has_row_security: bool,
    /// Whether something outside the schema may be the app's.
    pub(crate) has_elsewhere: bool,
    /// Whether the database has extensions, beside the one that each has.
    pub(crate) has_extensions: bool,
    /// Whether an index of the database is not valid, or a constraint.
    pub(crate) has_unfinished: bool,
    /// Whether the version of a collation is written down that the database or an index has.
    pub(crate) has_versioned_collation: bool,
}

impl Objects {
    pub(super) fn read(session: &mut Session, expected: &Expected) -> Result<Self, SqlError> {
        let names = [expected.schema.as_str(), expected.role.as_str()];
        let row = query_one(session, include_str!("objects.sql"), &names)?;
        Ok(Self {
            tables: row.get("tables"),
            sequences: row.get("sequences"),
            routines: row.get("routines"),
            has_other_owners: row.get("has_other_owners"),
            has_grants: row.get("has_grants"),
            has_acting_owners: row.get("has_acting_owners"),
            has_row_security: row.get("has_row_security"),
            has_elsewhere: row.get("has_elsewhere"),
            has_extensions: row.get("has_extensions"),
            has_unfinished: row.get("has_unfinished"),
            has_versioned_collation: row.get("has_versioned_collation"),
        })
    }
}
