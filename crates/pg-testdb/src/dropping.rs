//! Dropping databases of tests, and ending the sessions in them.

use std::{
    thread,
    time::{Duration, Instant},
};

use pg_config::{Identifier, Literal, Session};
use pg_schema::{Administrator, ddl, execute, query};
use postgres::error::SqlState;

use crate::{error::is_refused, prepared, session::texts};

/// Ends the sessions of a database, and its prepared transactions, and drops it. None there: fine.
pub(crate) fn drop_database(
    session: &mut Session,
    administrator: &Administrator,
    database: &Identifier,
) -> anyhow::Result<()> {
    let prepared = "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = $1";
    let prepared = query(session, prepared, &[database.as_str()])?;
    if !prepared.is_empty() {
        let mut inside = administrator.connect(database.as_str(), Duration::ZERO)?;
        for row in prepared {
            execute(&mut inside, &format!("ROLLBACK PREPARED {}", Literal(row.get::<_, &str>(0))))?;
        }
    }
    // Who is sent away may not come back in.
    match execute(session, &ddl::allow_connections(database, false)) {
        Err(error) if error.is(&SqlState::INVALID_CATALOG_NAME) => return Ok(()),
        outcome => outcome?,
    }
    end_sessions(&mut |sql| texts(session, sql), database, Duration::ZERO)?;
    Ok(execute(session, &format!("DROP DATABASE IF EXISTS {database}"))?)
}

/// Waits until nobody is connected to a database; who still is after `grace` is sent away. `false`: a prepared
/// transaction, or somebody whom we may not send away, stays.
pub(crate) fn end_sessions(
    texts: &mut dyn FnMut(&str) -> anyhow::Result<Vec<Option<String>>>,
    database: &Identifier,
    grace: Duration,
) -> anyhow::Result<bool> {
    let name = Literal(database.as_str()).to_string();
    let begun = Instant::now();
    let look = prepared::sessions(database);
    loop {
        let seen: Vec<_> = texts(&look)?.into_iter().flatten().collect();
        let none = |at: usize| seen.get(at).is_some_and(|count| count == "0");
        if !none(2) {
            return Ok(false);
        }
        if none(1) {
            return Ok(true);
        }
        // Autovacuum is nobody's, and waits for nothing.
        let everybody = begun.elapsed() >= grace;
        if everybody || none(0) {
            let whom = if everybody { "" } else { " AND usesysid IS NULL" };
            let end = format!(
                "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = {name}{whom}"
            );
            match texts(&end) {
                Err(error) if !is_refused(&error, &SqlState::INSUFFICIENT_PRIVILEGE) => return Err(error),
                _ => {}
            }
        }
        if begun.elapsed() > grace + Duration::from_secs(5) {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(1));
    }
}
