//! What earlier runs have left: clones of processes that were killed, failed tests' databases beyond a bound, templates
//! of migrations that are no more.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pg_config::{Identifier, Session};
use pg_schema::{query, query_one};

use crate::{
    cloning,
    house::House,
    lease::{self, CLONES},
    mark::Unmarked,
    name::{CloneName, State, is_hex},
    template,
};

/// What stands on the database of a failed test.
pub(crate) const KEPT: &str = "a failed test's, kept by pg-testdb, second ";

/// So many of them are kept, and so long.
const MOST_KEPT: usize = 10;
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// So many templates are kept: going back to a branch costs nothing.
const MOST_TEMPLATES: usize = 8;

pub(crate) fn kept_remark() -> String {
    format!("{KEPT}{}", now())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Whether a process that runs one test and ends sweeps, having leased this clone: not each of hundreds. Where
/// something was left, one is missing among those that wait, and is made.
pub(crate) fn is_due(leased: &CloneName) -> bool {
    leased.lease() == 1 || leased.lease().is_multiple_of(16)
}

/// Drops what nobody holds and nobody wants. What cannot be dropped now is left for the next time; what is named so and
/// not marked is never dropped, and given.
pub(crate) fn sweep(house: &House) -> anyhow::Result<Vec<Unmarked>> {
    let found: Vec<(String, Option<String>)> = house.with_session(|session| {
        let sql = "SELECT d.datname::text, pg_catalog.shobj_description(d.oid, 'pg_database') \
                   FROM pg_catalog.pg_database d WHERE pg_catalog.starts_with(d.datname::text, $1) ORDER BY d.oid DESC";
        let rows = query(session, sql, &[&format!("{}_", house.stem.as_str())])?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    })?;
    let mut unmarked = Vec::new();
    let mut note = |outcome: anyhow::Result<()>| {
        unmarked.extend(outcome.err().and_then(|error| error.downcast::<Unmarked>().ok()));
    };
    let of_kind = |kind: &str| {
        let prefix = format!("{}_{kind}_", house.stem.as_str());
        let digests = found.iter().filter_map(move |(name, _)| name.strip_prefix(&prefix).map(str::to_owned));
        digests.filter(|digest| is_hex(digest, 12)).collect::<Vec<_>>()
    };
    let templates = of_kind("template");
    let (living, old) = templates.split_at(templates.len().min(MOST_TEMPLATES));
    let mut kept = 0;
    for (name, remark) in &found {
        let Some((clone, state)) = CloneName::parse(&house.stem, name) else { continue };
        let mut is_old = false;
        if let Some(second) = kept_since(remark.as_deref()) {
            kept += 1;
            is_old = kept > MOST_KEPT || now().saturating_sub(second) >= KEPT_FOR.as_secs();
            if !is_old {
                continue;
            }
        } else if state == State::Ready && living.iter().any(|digest| digest == clone.digest()) {
            continue;
        }
        note(drop_unless_held(house, &clone, state, is_old));
    }
    for digest in of_kind("building") {
        let names = (&house.stem, &house.mark);
        note(house.with_session(|session| template::abandon(session, &house.administrator, names, &digest)));
    }
    for digest in of_kind("cloning") {
        note(house.with_session(|session| cloning::abandon(house, session, &digest)));
    }
    for digest in old {
        let (template, what) = (house.stem.template(digest), template::what(template::TEMPLATE, digest));
        let dropped = |session: &mut Session| house.mark.drop_marked(session, &house.administrator, &template, &what);
        note(house.with_session(dropped).map(drop));
    }
    Ok(unmarked)
}

/// Since when the database of a failed test is kept, if it is one.
fn kept_since(remark: Option<&str>) -> Option<u64> {
    remark?.rsplit_once(KEPT)?.1.parse().ok()
}

fn drop_unless_held(house: &House, clone: &CloneName, state: State, is_old: bool) -> anyhow::Result<()> {
    let key = clone.lock();
    let database: Identifier = clone.in_state(state);
    let what = lease::what(&clone.key());
    let run = |session: &mut Session| {
        let lock = format!("SELECT pg_catalog.pg_try_advisory_lock({CLONES}, {key})");
        if !query_one(session, &lock, &[])?.get::<_, bool>(0) {
            return Ok(());
        }
        // Its test may have failed since it was looked at.
        let remark =
            "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database WHERE datname = $1";
        let remark = query(session, remark, &[database.as_str()])?;
        let is_kept = remark.first().is_some_and(|row| kept_since(row.get(0)).is_some());
        let outcome = match is_kept && !is_old {
            true => Ok(()),
            false => house.mark.drop_marked(session, &house.administrator, &database, &what).map(drop),
        };
        query(session, &format!("SELECT pg_catalog.pg_advisory_unlock({CLONES}, {key})"), &[])?;
        outcome
    };
    if house.is_for_one_test {
        // A session may take its own lock twice, and this one holds the leases.
        let mut leases = house.leases();
        return match leases.clones.contains(&key) {
            true => Ok(()),
            false => run(&mut leases.session),
        };
    }
    house.with_session(run)
}
