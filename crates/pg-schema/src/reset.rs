//! Replacing the app's database by a new one, without a moment at which its data are lost before the new one is complete:
//! it is put aside under another name, the new one is made under the true name, and the old one is dropped last.
//!
//! What was done is to be seen in the catalog alone, so that whatever a killed run has left, the next one takes back or
//! finishes ([`recover`]). Each step but the making of the new database is one transaction:
//!
//! ```text
//!                         aura_db                      aura_db_before_reset
//! close                   marked, takes no sessions
//! rename                                               marked, takes no sessions
//! make                    limit as the mark            the same
//! finish                  complete                     marked as replaced
//! drop                    complete
//! ```

mod mark;
mod obstacles;
mod recover;

use std::{
    thread,
    time::{Duration, Instant},
};

use pg_config::{Identifier, Session, in_one_line};
use postgres::error::SqlState;
use thiserror::Error;

use self::mark::{Mark, State, building_limit};
pub use self::{
    mark::marking_limit,
    obstacles::refuse_blocked,
    recover::{Recovered, recover},
};
use crate::{
    Access, Connections, Expected, Properties, ddl,
    query::{execute, execute_at_once, query},
    sql_error::SqlError,
};

/// Why the database was not replaced.
#[derive(Debug, Error)]
pub enum ResetError {
    /// Every server has databases of its own.
    #[error(
        "database {0} is the server's own, and never dropped\n  help: name the app's database in DB_NAME or DATABASE_URL"
    )]
    ServersOwn(String),
    /// Something would refuse, or would be lost without a word.
    #[error("database {database} cannot be replaced; nothing was changed{what}\n  help: {help}")]
    Blocked {
        /// The database, quoted.
        database: String,
        /// What is in the way, a line each.
        what: String,
        /// What to do.
        help: String,
    },
    /// The name of the database put aside is taken.
    #[error(
        "database {0} is there already: a reset puts the old database aside by that name; nothing was changed\n  help: give it another name: ALTER DATABASE {0} RENAME TO …;"
    )]
    NameTaken(Identifier),
    /// A statement failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// The database from before, put aside.
pub struct PreviousDatabase {
    name: Identifier,
    comment: Option<String>,
    connection_limit: i32,
}

impl PreviousDatabase {
    /// What it is called meanwhile.
    pub fn name(&self) -> &Identifier {
        &self.name
    }
}

/// Refuses the databases that every server has of its own.
pub fn refuse_servers_own(expected: &Expected) -> Result<(), ResetError> {
    if ["postgres", "template0", "template1"].contains(&expected.database.as_str()) {
        return Err(ResetError::ServersOwn(expected.database.to_string()));
    }
    Ok(())
}

/// Drops a database whose files are missing or damaged: there is nothing in it to come back to, and up to 14 the server
/// makes no other one before it is gone, as its checkpoint fails.
pub fn drop_damaged(
    connections: &mut Connections,
    expected: &Expected,
    tell: &mut dyn FnMut(&str),
) -> Result<(), ResetError> {
    refuse_servers_own(expected)?;
    connections.leave();
    let session = &mut connections.maintenance;
    end_sessions(session, &expected.database)?;
    let statement = ddl::drop_database(&expected.database);
    execute(session, &statement)?;
    tell(&statement);
    Ok(())
}

/// Puts the app's database aside and makes a new, empty one of the same properties in its place; `None` where there is
/// none. Sessions are ended. An error in between is taken back by [`recover`].
///
/// The role stays: it belongs to the whole server, and so may other databases' objects.
pub fn set_aside(
    connections: &mut Connections,
    access: &Access,
    expected: &Expected,
    tell: &mut dyn FnMut(&str),
    warn: &mut dyn FnMut(&str),
) -> Result<Option<PreviousDatabase>, ResetError> {
    refuse_servers_own(expected)?;
    connections.leave();
    let (database, session) = (&expected.database, &mut connections.maintenance);
    let rows = query(session, include_str!("reset/database.sql"), &[database.as_str()])?;
    let [old, template0] = rows.as_slice() else { return Ok(None) };
    let properties = Properties::read(session, database)?;
    let name = ddl::set_aside_name(database);
    let comment: Option<String> = old.get("comment");
    close(session, database, comment.clone())?;
    execute_at_once(session, &ddl::rename_database(database, &name))?;
    tell(&ddl::rename_database(database, &name));
    let create = format!(
        "{} CONNECTION LIMIT {}",
        ddl::create_database_like(database, old, template0),
        building_limit(database)
    );
    execute(session, &create)?;
    tell(&create);
    let owner = Identifier::from_catalog(old.get::<_, String>("owner"));
    hand_on(connections, access, expected, &properties, &owner, (tell, warn))?;
    let limit = properties.connection_limit;
    // Of a reset that nothing is left of but this.
    let connection_limit = if limit == building_limit(database) { -1 } else { limit };
    Ok(Some(PreviousDatabase { name, comment, connection_limit }))
}

/// Marks the database, lets no session in, and ends those that are there.
fn close(session: &mut Session, database: &Identifier, comment: Option<String>) -> Result<(), SqlError> {
    let mark = Mark { state: State::Aside, comment };
    let close = format!(
        "{}; {}",
        ddl::comment_on_database(database, Some(&mark.text(database))),
        ddl::allow_connections(database, false)
    );
    execute_at_once(session, &close)?;
    end_sessions(session, database)
}

/// What is told, and what is warned of.
type Voices<'a> = (&'a mut dyn FnMut(&str), &'a mut dyn FnMut(&str));

/// Gives the new database the privileges and settings of the one from before.
fn hand_on(
    connections: &mut Connections,
    access: &Access,
    expected: &Expected,
    properties: &Properties,
    owner: &Identifier,
    (tell, warn): Voices<'_>,
) -> Result<(), ResetError> {
    let database = &expected.database;
    let settings = properties.settings().iter().filter(|setting| {
        // Those that a setup makes, it makes: it writes down since when.
        let is_setups = setting.role == expected.role.as_str() || setting.role.is_empty();
        !(is_setups && setting.text == format!("search_path={}", ddl::search_path(&expected.schema)))
    });
    let (of_app, of_others): (Vec<_>, Vec<_>) = settings.partition(|setting| setting.role == expected.role.as_str());
    let grants = match properties.has_usual_privileges(owner, &expected.role) {
        true => Vec::new(),
        false => properties.grants(database, owner),
    };
    for statement in grants.into_iter().chain(of_others.iter().map(|setting| setting.statement(database))) {
        keep(&mut connections.maintenance, &statement, tell, warn)?;
    }
    let of_app: Vec<_> = of_app.iter().map(|setting| setting.statement(database)).collect();
    if !of_app.is_empty() {
        match connections.of_role(access, expected) {
            Ok(session) => of_app.iter().try_for_each(|statement| keep(session, statement, tell, warn))?,
            Err(error) => warn(&format!(
                "the new database lacks settings of the one before\n    {};\n  cause: {}",
                of_app.join(";\n    "),
                in_one_line(&error.to_string())
            )),
        }
        connections.leave();
    }
    Ok(())
}

/// The new database is complete: it takes over comment and limit, and the one from before is dropped. The warning that it
/// could not be dropped, if so.
pub fn finish(
    connections: &mut Connections,
    expected: &Expected,
    aside: &PreviousDatabase,
) -> Result<Option<String>, ResetError> {
    let (database, session) = (&expected.database, &mut connections.maintenance);
    let mark = Mark { state: State::Replaced, comment: None };
    execute_at_once(
        session,
        &format!(
            "{}; {}; {}",
            ddl::limit_connections(database, aside.connection_limit),
            ddl::comment_on_database(database, aside.comment.as_deref()),
            ddl::comment_on_database(&aside.name, Some(&mark.text(database)))
        ),
    )?;
    Ok(drop_replaced(session, database, &aside.name))
}

/// Gives the new database something that the old one had. What is refused is said, and is no reason to stop.
fn keep(
    session: &mut Session,
    statement: &str,
    tell: &mut dyn FnMut(&str),
    warn: &mut dyn FnMut(&str),
) -> Result<(), SqlError> {
    match execute_at_once(session, statement) {
        Ok(()) => tell(statement),
        Err(error) if error.is_final() => return Err(error),
        Err(error) => warn(&format!("the new database lacks something that the one before had{}", error.cause())),
    }
    Ok(())
}

fn drop_replaced(session: &mut Session, database: &Identifier, name: &Identifier) -> Option<String> {
    let dropped = end_sessions(session, name).and_then(|()| execute(session, &ddl::drop_database(name)));
    dropped.err().map(|error| {
        format!(
            "database {name} is what database {database} was before a db-reset, and could not be dropped{}\n  \
             help: the next db-setup or db-reset drops it; or run: DROP DATABASE {name};",
            error.cause()
        )
    })
}

/// Ends every session of a database, and waits until they are gone: `WITH (FORCE)` polls each 100 ms.
///
/// An administrator who is no superuser may not end the app's sessions. Ours, just closed, are there for another
/// moment, so that no is an answer only when they stay. Autovacuum, which is nobody's, is ended by DROP DATABASE.
fn end_sessions(session: &mut Session, database: &Identifier) -> Result<(), SqlError> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let sql = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
               WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL";
    loop {
        let ended = query(session, sql, &[database.as_str()]);
        let is_over = Instant::now() >= deadline;
        match ended {
            Ok(none) if none.is_empty() => return Ok(()),
            Ok(_) if is_over => return Ok(()),
            Err(error) if is_over || !error.is(&SqlState::INSUFFICIENT_PRIVILEGE) => return Err(error),
            Ok(_) | Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
}
