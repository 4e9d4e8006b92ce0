//! Dropping the app's database, and proving that it is gone.

use std::{
    thread,
    time::{Duration, Instant},
};

use pg_config::Session;
use postgres::error::SqlState;
use thiserror::Error;

use crate::{
    Connections, Expected, ddl,
    query::{SqlError, execute, query},
};

/// Why the database was not dropped.
#[derive(Debug, Error)]
pub enum ResetError {
    /// The server's own databases are nobody's to drop.
    #[error("database {0} is the server's own, and never dropped; name the app's with DB_NAME or DATABASE_URL")]
    ServersOwn(String),
    /// A statement failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// Drops the app's database: its sessions are ended first. `false` where there was none.
///
/// The role stays: it belongs to the whole server, and so may other databases' objects.
pub fn reset(connections: &mut Connections, expected: &Expected) -> Result<bool, ResetError> {
    refuse_servers_own(expected)?;
    let name = expected.database.as_str();
    connections.app = None;
    let session = &mut connections.maintenance;
    if !exists(session, name)? {
        return Ok(false);
    }
    end_sessions(session, name)?;
    execute(session, &ddl::drop_database(&expected.database))?;
    Ok(true)
}

/// Refuses the databases that every server has of its own.
pub fn refuse_servers_own(expected: &Expected) -> Result<(), ResetError> {
    if ["postgres", "template0", "template1"].contains(&expected.database.as_str()) {
        return Err(ResetError::ServersOwn(expected.database.to_string()));
    }
    Ok(())
}

fn exists(session: &mut Session, database: &str) -> Result<bool, SqlError> {
    Ok(!query(session, "SELECT FROM pg_catalog.pg_database WHERE datname = $1", &[database])?.is_empty())
}

/// Ends every session of a database, and waits until they are gone: `WITH (FORCE)` polls each 100 ms.
///
/// An administrator who is no superuser may not end the app's sessions. Ours, just closed, are there for another
/// moment, so that no is an answer only when they stay. Autovacuum, which is nobody's, is ended by DROP DATABASE.
fn end_sessions(session: &mut Session, database: &str) -> Result<(), SqlError> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let sql = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
               WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL";
    loop {
        let ended = query(session, sql, &[database]);
        let is_over = Instant::now() >= deadline;
        match ended {
            Ok(none) if none.is_empty() => return Ok(()),
            Ok(_) if is_over => return Ok(()),
            Err(error) if is_over || !error.is(&SqlState::INSUFFICIENT_PRIVILEGE) => return Err(error),
            Ok(_) | Err(_) => thread::sleep(Duration::from_millis(2)),
        }
    }
}
