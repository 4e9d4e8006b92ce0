//! What an interrupted reset has left.

use postgres::Row;

use super::{
    ResetError, drop_replaced, end_sessions,
    mark::{Mark, State, building_limit},
};
use crate::{
    Connections, Expected, ddl,
    query::{execute, execute_at_once, query},
};

/// What an interrupted reset had left, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// It had left nothing.
    Nothing,
    /// The database from before is back under its name.
    Back,
    /// The new database is complete, and the one from before is gone.
    Finished,
    /// Something is left: what, and what to do about it.
    Left(String),
}

/// Looks for what an interrupted reset has left, under the setup's lock. Where the new database is not complete, the one
/// from before comes back; where it is, the one from before is dropped. What is not as a reset leaves it stays.
pub fn recover(
    connections: &mut Connections,
    expected: &Expected,
    tell: &mut dyn FnMut(&str),
) -> Result<Recovered, ResetError> {
    let (database, name) = (&expected.database, ddl::set_aside_name(&expected.database));
    if !connections.is_interrupted(expected)? {
        return Ok(Recovered::Nothing);
    }
    let session = &mut connections.maintenance;
    let rows = query(session, include_str!("states.sql"), &[database.as_str(), name.as_str()])?;
    let of = |is_apps: bool| rows.iter().find(|row| row.get::<_, bool>("is_apps") == is_apps);
    let marked = |row: &Row| Mark::read(row.get("comment"), database);
    let (apps, before) = (of(true), of(false).and_then(marked));
    let closed = apps.and_then(marked).filter(|mark| mark.state == State::Aside);
    let is_being_made = apps.is_some_and(|row| row.get::<_, i32>("datconnlimit") == building_limit(database));
    let reopen = |mark: &Mark| {
        format!(
            "{}; {}",
            ddl::comment_on_database(database, mark.comment.as_deref()),
            ddl::allow_connections(database, true)
        )
    };
    match (apps, before) {
        (_, None) => {
            let Some(mark) = closed else { return Ok(Recovered::Nothing) };
            execute_at_once(session, &reopen(&mark))?;
        }
        (Some(_), Some(Mark { state: State::Replaced, .. })) => {
            let left = drop_replaced(session, database, &name);
            return Ok(left.map_or(Recovered::Finished, Recovered::Left));
        }
        (Some(_), Some(_)) if !is_being_made => {
            return Ok(Recovered::Left(format!(
                "database {name} is the one from before a db-reset that was interrupted, and database {database} was made \
                 since by others: both are left as they are\n  help: to have the one from before: DROP DATABASE {database}; \
                 and run cargo xtask db-setup\n        to keep the new one: DROP DATABASE {name};"
            )));
        }
        (apps, Some(mark)) => {
            if apps.is_some() {
                connections.leave();
                let session = &mut connections.maintenance;
                end_sessions(session, database)?;
                execute(session, &ddl::drop_database(database))?;
                tell(&ddl::drop_database(database));
            }
            let session = &mut connections.maintenance;
            execute_at_once(session, &format!("{}; {}", ddl::rename_database(&name, database), reopen(&mark)))?;
            tell(&ddl::rename_database(&name, database));
        }
    }
    Ok(Recovered::Back)
}
