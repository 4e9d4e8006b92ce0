//! Routines whose text or whose own search_path leads out of the app's schema.

use pg_config::{Identifier, Session};

use crate::{
    Expected, facts,
    object::Object,
    path,
    query::{SqlError, query},
};

/// A routine, and where it leads.
#[derive(Clone, Debug)]
pub struct Outward {
    /// The routine.
    pub routine: Object,
    /// What of it leads elsewhere.
    pub by: By,
}

/// What of a routine leads elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Its text names this object of another schema.
    Body {
        /// The schema.
        schema: Identifier,
        /// The object's bare name.
        name: Identifier,
        /// Whether there is none.
        is_missing: bool,
        /// Whether the app's schema has one of that name.
        has_twin: bool,
    },
    /// Its own search_path.
    Setting {
        /// The path.
        path: String,
        /// Whether none of the schemas that exist on it has the app's tables: `public` alone has not.
        is_lost: bool,
    },
}

pub(super) fn read(session: &mut Session, expected: &Expected) -> Result<Vec<Outward>, SqlError> {
    let rows = query(session, include_str!("../sql/routines.sql"), &[expected.schema.as_str()])?;
    let outward = rows.iter().filter_map(|row| {
        let by = match row.get::<_, Option<String>>("path") {
            Some(path) => setting(path, &row.get::<_, Vec<String>>("schemas"), expected)?,
            None => By::Body {
                schema: facts::name(row, "named_schema"),
                name: facts::name(row, "named_object"),
                is_missing: row.get("is_missing"),
                has_twin: row.get("has_twin"),
            },
        };
        Some(Outward { routine: facts::object(row, &expected.schema)?, by })
    });
    Ok(outward.collect())
}

/// A path of a routine's own that does not put the app's schema first. One that names no schema of people's
/// is a precaution: the routine's text names all that it needs.
fn setting(path: String, schemas: &[String], expected: &Expected) -> Option<By> {
    let app = &expected.schema;
    // A schema named like the role is what "$user" leads to.
    let is_nobodys = |name: &str| ["pg_catalog", "pg_temp"].contains(&name) || name == "$user" && expected.role != *app;
    let named: Vec<_> = path::schemas(&path).into_iter().filter(|name| !is_nobodys(name)).collect();
    if named.first().is_none_or(|first| first == app.as_str() || first == "$user") {
        return None;
    }
    let is_lost = named.iter().all(|name| name == "public" || !schemas.contains(name));
    Some(By::Setting { path, is_lost })
}
