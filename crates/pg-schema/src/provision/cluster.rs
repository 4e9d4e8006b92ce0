//! What an administrator's session sees of the whole server: roles and databases.

use pg_config::Session;

use crate::{
    Expected,
    query::{SqlError, query_one},
};

/// Roles and databases, and what the administrator may do about them.
pub(super) struct Cluster {
    pub(super) in_recovery: bool,
    pub(super) administrator: String,
    pub(super) server_started: String,
    pub(super) may_create_role: bool,
    pub(super) may_create_database: bool,
    pub(super) is_superuser: bool,
    pub(super) role_exists: bool,
    pub(super) role_may_login: bool,
    pub(super) database_exists: bool,
    pub(super) owns_database: bool,
    pub(super) has_database_privileges: bool,
}

impl Cluster {
    pub(super) fn read(session: &mut Session, expected: &Expected) -> Result<Self, SqlError> {
        let names = [expected.role.as_str(), expected.database.as_str()];
        let row = query_one(session, include_str!("../sql/cluster.sql"), &names)?;
        Ok(Self {
            in_recovery: row.get("in_recovery"),
            administrator: row.get("administrator"),
            server_started: row.get("server_started"),
            may_create_role: row.get("may_create_role"),
            may_create_database: row.get("may_create_database"),
            is_superuser: row.get("is_superuser"),
            role_exists: row.get("role_exists"),
            role_may_login: row.get("role_may_login"),
            database_exists: row.get("database_exists"),
            owns_database: row.get("owns_database"),
            has_database_privileges: row.get("has_database_privileges"),
        })
    }
}
