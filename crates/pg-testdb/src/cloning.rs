//! Making a clone that has a name of its own: it is there whole, or not at all.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{anyhow, bail};
use pg_config::{Identifier, Session, short_digest};
use pg_schema::ddl;
use postgres::error::SqlState;

use crate::{
    dropping::drop_database,
    error::is_refused,
    locks::{self, NAMED_CLONES, try_lock, unlock},
    server::TestServer,
    template::Template,
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
    let key = locks::of_digest(&digest);
    let deadline = Instant::now() + PATIENCE;
    while !try_lock(session, NAMED_CLONES, key)? {
        if Instant::now() >= deadline {
            bail!("another process has been making {database} for {} s: wait for it, or end it", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
    let mut made = || {
        server.mark.drop_marked(session, &server.administrator, &unfinished, &being_made)?;
        server.create(session, template, (&unfinished, &being_made))?;
        let finish =
            format!("{}; {}", server.mark.statement(&unfinished, what), ddl::rename_database(&unfinished, database));
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
    let _ = unlock(session, NAMED_CLONES, key);
    outcome.map(drop)
}

/// Drops what a process has left that was killed while it made a clone.
pub(crate) fn abandon(server: &TestServer, session: &mut Session, digest: &str) -> anyhow::Result<()> {
    let key = locks::of_digest(digest);
    if !try_lock(session, NAMED_CLONES, key)? {
        return Ok(());
    }
    let (database, what) = (server.base.cloning(digest), unfinished(digest));
    let outcome = server.mark.drop_marked(session, &server.administrator, &database, &what);
    unlock(session, NAMED_CLONES, key)?;
    outcome.map(drop)
}

/// How long another process may take to make the same clone: that of a large database takes its time.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the mark calls one that is being made.
fn unfinished(digest: &str) -> String {
    format!("cloning {digest}")
}
