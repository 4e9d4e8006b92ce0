//! Making a clone that has a name of its own: it is there whole, or not at all.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{anyhow, bail};
use pg_config::{Identifier, Session, short_digest};
use pg_schema::{SqlError, execute_at_once, query_one};
use postgres::error::SqlState;

use crate::{
    dropping::drop_database,
    server::TestServer,
    session::is_refused,
    template::{Template, lock_key},
};

/// Makes a clone under another name, and renames it when it has all that the original has: whatever stands under its name
/// is whole. What a process leaves that is killed in between is swept.
pub(crate) fn make(
    server: &TestServer,
    session: &mut Session,
    template: &Template,
    (database, what): (&Identifier, &str),
) -> anyhow::Result<()> {
    let digest = short_digest(database.as_str().as_bytes());
    let (unfinished, being_made) = (server.base.cloning(&digest), unfinished(&digest));
    let deadline = Instant::now() + PATIENCE;
    while !lock(session, &digest)? {
        if Instant::now() >= deadline {
            bail!("another process has been making {database} for {} s: wait for it, or end it", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
    let mut made = || {
        server.mark.drop_marked(session, &server.administrator, &unfinished, &being_made)?;
        server.create(session, template, (&unfinished, &being_made))?;
        let finish =
            format!("{}; ALTER DATABASE {unfinished} RENAME TO {database}", server.mark.statement(&unfinished, what));
        server.complete(session, template, (&unfinished, &being_made), &finish).or_else(|error| {
            drop_database(session, &server.administrator, &unfinished)?;
            Err(match is_refused(&error, &SqlState::DUPLICATE_DATABASE) {
                true => anyhow!("{database} is there already"),
                false => error,
            })
        })
    };
    let outcome = made();
    // The session may be what is broken; its end frees the lock as well.
    let _ = unlock(session, &digest);
    outcome.map(drop)
}

/// Drops what a process has left that was killed while it made a clone.
pub(crate) fn abandon(server: &TestServer, session: &mut Session, digest: &str) -> anyhow::Result<()> {
    if !lock(session, digest)? {
        return Ok(());
    }
    let (database, what) = (server.base.cloning(digest), unfinished(digest));
    let outcome = server.mark.drop_marked(session, &server.administrator, &database, &what);
    unlock(session, digest)?;
    outcome.map(drop)
}

/// How long another process may take to make the same clone: that of a large database takes its time.
const PATIENCE: Duration = Duration::from_secs(600);

/// The first key of the locks under which clones are made; the second is the digest's.
const LOCK: i32 = 0x636c_6f6e;

fn lock(session: &mut Session, digest: &str) -> anyhow::Result<bool> {
    let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({LOCK}, {})", lock_key(digest));
    Ok(query_one(session, &sql, &[])?.get(0))
}

fn unlock(session: &mut Session, digest: &str) -> Result<(), SqlError> {
    execute_at_once(session, &format!("SELECT pg_catalog.pg_advisory_unlock({LOCK}, {})", lock_key(digest)))
}

/// What the mark calls one that is being made.
fn unfinished(digest: &str) -> String {
    format!("cloning {digest}")
}
