//! The database's record of applied migrations, beside the migrations of this program.

use std::collections::BTreeMap;

use postgres::Client;
use refinery::Migration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::{Answer, Error, Result};
use crate::place::Place;

/// One migration, known to this program, to the database, or to both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1.
    pub version: i32,
    /// Its name without the number: `tables`.
    pub name: String,
    /// What became of it.
    pub state: State,
}

/// What became of a migration in this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was applied, with the text that it has now.
    Applied(OffsetDateTime),
    /// It is to be applied.
    Pending,
    /// It was applied, but its name or its text was another one then.
    Changed(OffsetDateTime),
    /// It was applied, but this program does not have it.
    Missing(OffsetDateTime),
    /// It was never applied, but a later one was.
    Skipped,
}

impl Entry {
    /// `V1__tables`, as the file is called.
    pub fn label(&self) -> String {
        format!("V{}__{}", self.version, self.name)
    }

    /// Why no migration can be applied while this one is as it is.
    fn conflict(&self) -> Option<String> {
        let label = self.label();
        match self.state {
            State::Applied(_) | State::Pending => None,
            State::Changed(at) => Some(format!(
                "{label} is not what was applied on {}: write a new migration instead of changing one",
                at.date()
            )),
            State::Missing(at) => {
                Some(format!("{label} was applied on {}, but is not among the migrations of this program", at.date()))
            }
            State::Skipped => Some(format!("{label} was never applied, but a later one was: give it the next number")),
        }
    }
}

/// A row of the bookkeeping table.
#[derive(Debug)]
struct Row {
    version: i32,
    name: String,
    applied_on: OffsetDateTime,
    checksum: String,
}

/// Every migration with what became of it, by version. Changes nothing; a database without the table has none applied.
pub(crate) fn read(client: &mut Client, place: &Place, migrations: &[Migration]) -> Result<Vec<Entry>> {
    let doing = || format!("read table refinery_schema_history in schema {}", place.schema);
    let found = client.query_opt(include_str!("sql/bookkeeping.sql"), &[]).map_err(Error::server(doing()))?;
    let rows = match found {
        None => Vec::new(),
        Some(row) => {
            let found: String = row.try_get(0).map_err(Error::server(doing()))?;
            if found != place.schema {
                return Err(Error::BookkeepingElsewhere { found, schema: place.schema.clone() });
            }
            let rows = client.query(include_str!("sql/history.sql"), &[]).map_err(Error::server(doing()))?;
            let rows = rows.iter().map(columns).collect::<Answer<Vec<_>>>();
            let rows = rows.map_err(Error::server(doing()))?;
            rows.into_iter().map(|row| parse(row, place)).collect::<Result<_>>()?
        }
    };
    Ok(compare(migrations, rows))
}

/// Refuses where going on would build on something else than what this program knows.
pub(crate) fn check(place: &Place, entries: &[Entry]) -> Result<()> {
    let conflicts: Vec<String> = entries.iter().filter_map(Entry::conflict).collect();
    if conflicts.is_empty() { Ok(()) } else { Err(Error::History { schema: place.schema.clone(), conflicts }) }
}

/// Version, name, time and checksum, as they are written.
type Written = (i32, String, String, String);

fn columns(row: &postgres::Row) -> Answer<Written> {
    Ok((row.try_get("version")?, row.try_get("name")?, row.try_get("applied_on")?, row.try_get("checksum")?))
}

/// The time is a text: refinery would panic where somebody has written another.
fn parse((version, name, written, checksum): Written, place: &Place) -> Result<Row> {
    match OffsetDateTime::parse(&written, &Rfc3339) {
        Ok(applied_on) => Ok(Row { version, name, applied_on, checksum }),
        Err(_) => Err(Error::History {
            schema: place.schema.clone(),
            conflicts: vec![format!("V{version}__{name} was applied on {written:?}, which is no RFC 3339 time")],
        }),
    }
}

fn compare(migrations: &[Migration], rows: Vec<Row>) -> Vec<Entry> {
    let last = rows.iter().map(|row| row.version).max();
    let mut rows: BTreeMap<i32, Row> = rows.into_iter().map(|row| (row.version, row)).collect();
    let known = migrations.iter().map(|migration| {
        let version = migration.version();
        let state = match rows.remove(&version) {
            Some(row) if row.name == migration.name() && row.checksum == migration.checksum().to_string() => {
                State::Applied(row.applied_on)
            }
            Some(row) => State::Changed(row.applied_on),
            None if last > Some(version) => State::Skipped,
            None => State::Pending,
        };
        Entry { version, name: migration.name().to_owned(), state }
    });
    let mut entries: Vec<Entry> = known.collect();
    entries.extend(rows.into_values().map(|row| Entry {
        version: row.version,
        name: row.name,
        state: State::Missing(row.applied_on),
    }));
    entries.sort_by_key(|entry| entry.version);
    entries
}

#[cfg(test)]
mod tests {
    use refinery::Migration;
    use time::OffsetDateTime;

    use super::{Row, State, check, compare};
    use crate::place::Place;

    const AT: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn tree() -> Vec<Migration> {
        ["V1__one", "V2__two", "V3__three"].iter().map(|name| Migration::unapplied(name, "SELECT 1").unwrap()).collect()
    }

    fn row(migration: &Migration) -> Row {
        Row {
            version: migration.version(),
            name: migration.name().to_owned(),
            applied_on: AT,
            checksum: migration.checksum().to_string(),
        }
    }

    fn states(rows: Vec<Row>) -> Vec<State> {
        compare(&tree(), rows).into_iter().map(|entry| entry.state).collect()
    }

    #[test]
    fn what_is_not_written_down_is_pending() {
        assert_eq!(states(vec![]), [State::Pending; 3]);
        assert_eq!(states(vec![row(&tree()[0])]), [State::Applied(AT), State::Pending, State::Pending]);
    }

    #[test]
    fn a_changed_text_and_a_changed_name_are_found() {
        let text = Row { checksum: "1".to_owned(), ..row(&tree()[0]) };
        let name = Row { name: "zwei".to_owned(), ..row(&tree()[1]) };
        assert_eq!(states(vec![text, name]), [State::Changed(AT), State::Changed(AT), State::Pending]);
    }

    #[test]
    fn gaps_and_unknown_versions_stop_the_run_and_are_named() {
        let unknown = Row { version: 9, name: "nine".to_owned(), applied_on: AT, checksum: "1".to_owned() };
        let entries = compare(&tree(), vec![row(&tree()[1]), unknown]);
        let states: Vec<State> = entries.iter().map(|entry| entry.state).collect();
        assert_eq!(states, [State::Skipped, State::Applied(AT), State::Skipped, State::Missing(AT)]);
        let place = Place { schema: "aura".to_owned(), database: "d".to_owned() };
        let error = check(&place, &entries).unwrap_err().to_string();
        assert!(error.contains("V1__one") && error.contains("V9__nine") && !error.contains("V2"), "{error}");
    }
}
