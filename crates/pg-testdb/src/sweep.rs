//! What earlier runs have left: clones of processes that were killed, failed tests' databases beyond a bound, templates
//! of migrations that are no more.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use anyhow::Context as _;
use pg_config::{Identifier, Session};
use pg_schema::query;

use crate::{
    cloning, lease,
    locks::{CLONES, try_lock, unlock},
    mark::{self, Unmarked, kept_since},
    name::{CloneName, State, is_hex},
    server::TestServer,
    template,
};

/// So many of them are kept, and so long.
const MOST_KEPT: usize = 10;
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// So many templates are kept: going back to a branch costs nothing.
const MOST_TEMPLATES: usize = 8;

/// Sweeps on a thread of its own, once in a process. What cannot be swept now, the next process sweeps.
pub(crate) fn begin(server: &Arc<TestServer>) -> anyhow::Result<()> {
    if server.is_swept.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let server = Arc::clone(server);
    let sweeper = thread::Builder::new().name("pg-testdb".to_owned());
    sweeper.spawn(move || sweep(&server)).context("start a thread")?;
    Ok(())
}

/// Whether a process that runs one test and ends sweeps, having leased this clone: not each of hundreds. Where
/// something was left, one is missing among those that wait, and is made.
pub(crate) fn is_due(leased: &CloneName) -> bool {
    leased.lease() == 1 || leased.lease().is_multiple_of(16)
}

/// Drops what nobody holds and nobody wants. What cannot be dropped now is left for the next time; what is named so and
/// not marked is never dropped, and given.
pub(crate) fn sweep(server: &TestServer) -> anyhow::Result<Vec<Unmarked>> {
    let found: Vec<(String, Option<String>)> = server.with_session(|session| {
        let sql = "SELECT d.datname::text, pg_catalog.shobj_description(d.oid, 'pg_database') \
                   FROM pg_catalog.pg_database d WHERE pg_catalog.starts_with(d.datname::text, $1) ORDER BY d.oid DESC";
        let rows = query(session, sql, &[&format!("{}_", server.base.as_str())])?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    })?;
    let mut unmarked = Vec::new();
    let mut note = |outcome: anyhow::Result<()>| {
        unmarked.extend(outcome.err().and_then(|error| error.downcast::<Unmarked>().ok()));
    };
    let of_kind = |kind: &str| {
        let prefix = format!("{}_{kind}_", server.base.as_str());
        let digests = found.iter().filter_map(move |(name, _)| name.strip_prefix(&prefix).map(str::to_owned));
        digests.filter(|digest| is_hex(digest, 12)).collect::<Vec<_>>()
    };
    let templates = of_kind("template");
    let (living, old) = templates.split_at(templates.len().min(MOST_TEMPLATES));
    let mut kept = 0;
    for (name, remark) in &found {
        let Some((clone, state)) = CloneName::parse(&server.base, name) else { continue };
        let mut is_old = false;
        if let Some(second) = kept_since(remark.as_deref()) {
            kept += 1;
            is_old = kept > MOST_KEPT || mark::age(second) >= KEPT_FOR;
            if !is_old {
                continue;
            }
        } else if state == State::Ready && living.iter().any(|digest| digest == clone.digest()) {
            continue;
        }
        note(drop_unless_held(server, &clone, state, is_old));
    }
    for digest in of_kind("building") {
        let names = (&server.base, &server.mark);
        note(server.with_session(|session| template::abandon(session, &server.administrator, names, &digest)));
    }
    for digest in of_kind("cloning") {
        note(server.with_session(|session| cloning::abandon(server, session, &digest)));
    }
    for digest in old {
        let (template, what) = (server.base.template(digest), template::what(template::TEMPLATE, digest));
        let dropped = |session: &mut Session| server.mark.drop_marked(session, &server.administrator, &template, &what);
        note(server.with_session(dropped).map(drop));
    }
    Ok(unmarked)
}

fn drop_unless_held(server: &TestServer, clone: &CloneName, state: State, is_old: bool) -> anyhow::Result<()> {
    let key = clone.lock();
    let database: Identifier = clone.in_state(state);
    let what = lease::what(&clone.key());
    let run = |session: &mut Session| {
        if !try_lock(session, CLONES, key)? {
            return Ok(());
        }
        // Its test may have failed since it was looked at.
        let remark =
            "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database WHERE datname = $1";
        let remark = query(session, remark, &[database.as_str()])?;
        let is_kept = remark.first().is_some_and(|row| kept_since(row.get(0)).is_some());
        let outcome = match is_kept && !is_old {
            true => Ok(()),
            false => server.mark.drop_marked(session, &server.administrator, &database, &what).map(drop),
        };
        unlock(session, CLONES, key)?;
        outcome
    };
    if server.is_for_one_test {
        // A session may take its own lock twice, and this one holds the leases.
        let mut leases = server.leases();
        return match leases.clones.contains(&key) {
            true => Ok(()),
            false => run(&mut leases.session),
        };
    }
    server.with_session(run)
}
