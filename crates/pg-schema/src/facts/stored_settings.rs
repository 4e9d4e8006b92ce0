//! What is stored for the role and the database, and comes to each of the app's sessions.

use pg_config::Session;

use crate::{Expected, ddl, query::query, sql_error::SqlError};

/// A setting that is stored for role, database or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredSetting {
    /// `role in database`, `role`, `database` or `all roles`.
    pub(crate) layer: String,
    /// The setting's name, in small letters.
    pub(crate) name: String,
    /// Its text.
    pub(crate) value: String,
    /// When the layer was changed last, where the server keeps track of it (`track_commit_timestamp`).
    pub(crate) since: Option<String>,
}

impl StoredSetting {
    /// Reads all of them, the layer that wins first.
    pub(super) fn read(session: &mut Session, expected: &Expected) -> Result<Vec<Self>, SqlError> {
        let rows = query(session, include_str!("settings.sql"), &[expected.role.as_str()])?;
        let setting = rows.iter().map(|row| Self {
            layer: row.get("layer"),
            name: row.get("name"),
            value: row.get("value"),
            since: row.get("since"),
        });
        Ok(setting.collect())
    }

    /// The statement that takes it away.
    pub(crate) fn reset(&self, expected: &Expected) -> String {
        let (role, database) = (&expected.role, &expected.database);
        ddl::reset_setting(
            Some(role).filter(|_| self.layer.starts_with("role")),
            Some(database).filter(|_| self.layer.ends_with("database")),
            &self.name,
        )
    }
}

/// The one of a name that counts.
pub(crate) fn that_counts<'a>(settings: &'a [StoredSetting], name: &str) -> Option<&'a StoredSetting> {
    settings.iter().find(|setting| setting.name == name)
}

/// The setting that makes another role of the session's.
pub(crate) fn stored_role(settings: &[StoredSetting]) -> Option<&StoredSetting> {
    ["role", "session_authorization"].iter().find_map(|name| that_counts(settings, name))
}
