//! Tables that are there before the first migration: those of the present version, made by its own framework.
//!
//! They are taken over where they are what the migration would make. What it would make is asked of the server, not
//! of a second list: the migration's own text makes temporary tables in a transaction that is rolled back.

use postgres::{Client, Transaction};

use crate::definitions::{self, Difference};
use crate::error::{Answer, Error, Result};
use crate::place::Place;

/// What is there of a migration's tables.
#[derive(Debug)]
pub(crate) enum Found {
    /// None of them: the migration can make them.
    Nothing,
    /// All of them, exactly as it would make them.
    All,
    /// Some of them, or other ones.
    Differing(Vec<Difference>),
}

/// Looks for the tables that `sql` makes in the place where it would make them. Changes nothing.
///
/// Fails with [`Error::TablesElsewhere`] where the search_path finds them only in another schema.
pub(crate) fn look(client: &mut Client, place: &Place, sql: &str) -> Result<Found> {
    let tables = tables_of(sql);
    let doing = || format!("look for tables in schema {}", place.schema);
    let rows = client.query(include_str!("sql/tables_found.sql"), &[&tables]).map_err(Error::server(doing()))?;
    let mut here = false;
    let mut elsewhere = Vec::new();
    for row in rows {
        if row.try_get("here").map_err(Error::server(doing()))? {
            here = true;
        } else {
            let name = |column: &str| row.try_get::<_, String>(column).map_err(Error::server(doing()));
            elsewhere.push(format!("{}.{}", name("schema")?, name("name")?));
        }
    }
    if !here {
        if elsewhere.is_empty() {
            return Ok(Found::Nothing);
        }
        return Err(Error::TablesElsewhere { schema: place.schema.clone(), tables: elsewhere });
    }

    let differences = differences(client, place, &[sql])?;
    Ok(if differences.is_empty() { Found::All } else { Found::Differing(differences) })
}

/// Where the tables of the current schema are not what these migrations make, one after the other. Changes nothing.
pub(crate) fn differences(client: &mut Client, place: &Place, migrations: &[&str]) -> Result<Vec<Difference>> {
    let tables: Vec<&str> = migrations.iter().copied().flat_map(tables_of).collect();
    // Each in a transaction of its own: temporary tables hide the lasting ones of the same name.
    let expected = rolled_back(client, |transaction| {
        transaction.batch_execute("SET LOCAL search_path = pg_temp")?;
        migrations.iter().try_for_each(|sql| transaction.batch_execute(sql))?;
        definitions::read(transaction, &tables)
    });
    let expected = expected.map_err(Error::server("make temporary tables, to compare those of the database with"))?;
    let found = rolled_back(client, |transaction| {
        // What others have locked is not waited for.
        transaction.batch_execute(
            "SET LOCAL lock_timeout = '2s'; SELECT set_config('search_path', quote_ident(current_schema()), true)",
        )?;
        definitions::read(transaction, &tables)
    });
    let found =
        found.map_err(Error::server(format!("read the definitions of the tables in schema {}", place.schema)))?;
    Ok(definitions::compare(&expected, &found))
}

fn rolled_back<T>(client: &mut Client, work: impl FnOnce(&mut Transaction<'_>) -> Answer<T>) -> Answer<T> {
    let mut transaction = client.transaction()?;
    let done = work(&mut transaction)?;
    transaction.rollback()?;
    Ok(done)
}

/// The tables that a migration makes. Our migrations begin a line with each CREATE TABLE, name and bracket behind it.
pub(crate) fn tables_of(sql: &str) -> Vec<&str> {
    sql.lines().filter_map(|line| line.strip_prefix("CREATE TABLE ")?.strip_suffix(" (")).collect()
}
