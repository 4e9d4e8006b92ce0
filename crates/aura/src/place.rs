//! Where unqualified names go on a connection, and that it is a place for the application's tables.

use postgres::Client;

use crate::error::{Error, Result};

/// The schema in which this connection makes its tables.
#[derive(Clone, Debug)]
pub struct Place {
    /// The schema: `current_schema()`.
    pub schema: String,
    /// The database: `current_database()`.
    pub database: String,
}

/// Asks the server. A schema of PostgreSQL's own, `public` or none is refused: it has no tables of ours, and must
/// not get any by a forgotten or misspelled search_path.
pub(crate) fn find(client: &mut Client) -> Result<Place> {
    let row = client.query_one(include_str!("sql/place.sql"), &[]);
    let columns = row.and_then(|row| {
        Ok((row.try_get("schema")?, row.try_get("database")?, row.try_get("search_path")?, row.try_get("fix")?))
    });
    let (schema, database, search_path, fix): (Option<String>, _, _, _) =
        columns.map_err(Error::server("ask for the current schema"))?;
    match schema {
        Some(schema) if is_ours(&schema) => Ok(Place { schema, database }),
        schema => Err(Error::Place { schema, search_path, fix }),
    }
}

fn is_ours(schema: &str) -> bool {
    // PostgreSQL keeps pg_ for itself: no other schema may begin so.
    !(schema == "public" || schema == "information_schema" || schema.starts_with("pg_"))
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn any_schema_but_the_server_s_own_and_public() {
        assert!(is_ours("aura") && is_ours("Aura 2") && is_ours("publication"));
        assert!(!["public", "pg_catalog", "information_schema", "pg_temp_3"].into_iter().any(is_ours));
    }
}
