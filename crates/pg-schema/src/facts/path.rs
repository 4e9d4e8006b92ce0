//! The search_path: that of the session, and what is stored of it for role and database.

use pg_config::{Identifier, Session};
use postgres::Row;

use super::{name, stored_settings::StoredSetting};
use crate::{
    Expected, path,
    query::{execute_at_once, query, query_one},
    sql_error::SqlError,
    transaction::{OriginalPath, SAFE_PATH_HERE, in_transaction},
};

/// Where unqualified names lead.
#[derive(Clone, Debug)]
pub(crate) struct SearchPath {
    /// The session's search_path.
    pub(crate) of_session: String,
    /// Where an unqualified CREATE TABLE of the session would go.
    pub(crate) current_schema: Option<Identifier>,
    /// Every stored setting of the path, the one that wins first.
    pub(crate) layers: Vec<PathLayer>,
    /// What the stored settings alone would give this role.
    pub(crate) stored: StoredPath,
    /// A schema named like the role that is not the app's: `"$user"` leads there.
    pub(crate) role_schema: Option<RoleSchema>,
}

/// A stored setting of the search_path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathLayer {
    /// `role in database`, `role`, `database` or `all roles`.
    pub(crate) layer: String,
    /// The setting's value.
    pub(crate) path: String,
    /// When it was changed last, or another setting beside it, where the server keeps track of it (`track_commit_timestamp`).
    pub(crate) since: Option<String>,
}

/// What the stored settings of the path come to, tried out.
#[derive(Clone, Debug)]
pub(crate) struct StoredPath {
    /// Where an unqualified CREATE TABLE would go.
    pub(crate) schema: Option<Identifier>,
    /// Schemas that it names and that do not exist.
    pub(crate) missing: Vec<String>,
    /// Schemas that the session's own path names and that do not exist.
    pub(crate) missing_in_session: Vec<String>,
    /// Whether the database's own path names one.
    is_missing_in_database: bool,
}

/// A schema named like the app's role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleSchema {
    /// Its name.
    pub(crate) name: Identifier,
    /// Whether nothing lies in it.
    pub(crate) is_empty: bool,
}

impl SearchPath {
    /// Reads it; `row` is that of `session.sql`.
    pub(super) fn read(
        session: &mut Session,
        given: &OriginalPath,
        row: &Row,
        settings: &[StoredSetting],
    ) -> Result<Self, SqlError> {
        let layers: Vec<_> =
            settings.iter().filter(|setting| setting.name == "search_path").map(PathLayer::of).collect();
        Ok(Self {
            of_session: given.path.clone(),
            current_schema: given.schema.clone().map(Identifier::from_catalog),
            stored: StoredPath::read(session, &layers, &given.path)?,
            layers,
            role_schema: row
                .get::<_, bool>("has_role_schema")
                .then(|| RoleSchema { name: name(row, "role"), is_empty: row.get("role_schema_is_empty") }),
        })
    }

    /// The database's own path where others may rely on it: it does not name the app's schema, and all that it names
    /// exists. The app's role has a path of its own, which comes first.
    pub(crate) fn of_neighbours(&self, schema: &Identifier) -> Option<&PathLayer> {
        let names_schema = |layer: &&PathLayer| path::schemas(&layer.path).iter().any(|name| name == schema.as_str());
        self.layer("database").filter(|layer| !names_schema(layer) && !self.stored.is_missing_in_database)
    }

    /// The stored setting of a layer.
    pub(crate) fn layer(&self, name: &str) -> Option<&PathLayer> {
        self.layers.iter().find(|layer| layer.layer == name)
    }
}

/// Whether what is stored leads another role of the database to the schema first, as it does the app's.
pub fn leads_home(session: &mut Session, role: &Identifier, expected: &Expected) -> Result<bool, SqlError> {
    let rows = in_transaction(session, |session, _| query(session, include_str!("settings.sql"), &[role.as_str()]))?;
    let path = rows.iter().find(|row| row.get::<_, &str>("name") == "search_path");
    Ok(path.is_some_and(|row| path::serves(row.get("value"), &expected.schema)))
}

impl PathLayer {
    fn of(StoredSetting { layer, value, since, .. }: &StoredSetting) -> Self {
        Self { layer: layer.clone(), path: value.clone(), since: since.clone() }
    }
}

impl StoredPath {
    /// Tries out the stored setting that wins: the path is set for one query, and the server asked
    /// where it leads. The session's own path may differ by the URL's options.
    fn read(session: &mut Session, layers: &[PathLayer], of_session: &str) -> Result<Self, SqlError> {
        let path = |layer: Option<&PathLayer>| layer.map_or(String::new(), |layer| layer.path.clone());
        let (stored, database) = (path(layers.first()), path(layers.iter().find(|layer| layer.layer == "database")));
        let row = query_one(session, include_str!("stored_path.sql"), &[&stored, of_session, &database])?;
        execute_at_once(session, SAFE_PATH_HERE)?;
        Ok(Self {
            schema: row.get::<_, Option<String>>("schema").map(Identifier::from_catalog),
            missing: row.get("missing"),
            missing_in_session: row.get("missing_in_session"),
            is_missing_in_database: row.get("is_missing_in_database"),
        })
    }
}
