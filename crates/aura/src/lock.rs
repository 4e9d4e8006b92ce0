//! One migrate run at a time for a schema: refinery itself takes no lock.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;

use crate::error::{Answer, Error, Result};
use crate::place::Place;

/// Polling, and not `pg_advisory_lock`: a session that waits there holds a snapshot, which a CREATE INDEX
/// CONCURRENTLY of the holder would wait for in turn.
const POLL: Duration = Duration::from_millis(50);

/// Gets the lock, and waits up to `wait` for it; `tell` hears once which session has it.
///
/// The lock is the session's: it outlives failed transactions, and goes with the session if this process is killed.
/// (A pooler in transaction mode cannot carry it.)
pub(crate) fn acquire(client: &mut Client, place: &Place, wait: Duration, tell: &mut dyn FnMut(String)) -> Result<()> {
    let doing = || format!("lock the migrations of schema {}", place.schema);
    let start = Instant::now();
    let mut told = false;
    while !ask(client, include_str!("sql/lock.sql")).map_err(Error::server(doing()))? {
        if start.elapsed() >= wait {
            let holder = holder(client).map_err(Error::server(doing()))?;
            return Err(Error::Locked { schema: place.schema.clone(), waited: wait.as_secs(), holder });
        }
        if !told {
            tell(holder(client).map_err(Error::server(doing()))?);
            told = true;
        }
        thread::sleep(POLL);
    }
    Ok(())
}

/// Gives it back. Where the connection is lost, so is the lock: that is no second error.
pub(crate) fn release(client: &mut Client) {
    let _ = ask(client, include_str!("sql/unlock.sql"));
}

fn ask(client: &mut Client, sql: &str) -> Answer<bool> {
    client.query_one(sql, &[])?.try_get(0)
}

fn holder(client: &mut Client) -> Answer<String> {
    let row = client.query_opt(include_str!("sql/lock_holder.sql"), &[])?;
    row.map(|row| row.try_get(0)).unwrap_or_else(|| Ok("a session that has just ended".to_owned()))
}
