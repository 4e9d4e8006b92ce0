//! What earlier runs have left: clones of processes that were killed, failed tests' databases beyond a bound, templates
//! of migrations that are no more.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pg_config::{Identifier, Session};

use crate::{
    clone::drop_database,
    house::House,
    lease::CLONES,
    name::{CloneName, State, is_hex},
    session::{query, query_one},
    template,
};

/// What stands on the database of a failed test.
const KEPT: &str = "a failed test's, kept by pg-testdb, second ";

/// So many of them are kept, and so long.
const MOST_KEPT: usize = 10;
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// So many templates are kept: going back to a branch costs nothing.
const MOST_TEMPLATES: usize = 4;

pub(crate) fn kept_remark() -> String {
    format!("{KEPT}{}", now())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Drops what nobody holds and nobody wants.
pub(crate) fn sweep(house: &House) -> anyhow::Result<()> {
    if house.is_for_one_test {
        // A session may take its own lock twice, and this one holds the leases.
        let mut leases = house.leases();
        let own = leases.clones.clone();
        return sweep_by(house, &mut leases.session, &own);
    }
    house.with_session(|session| sweep_by(house, session, &[]))
}

fn sweep_by(house: &House, session: &mut Session, own: &[i32]) -> anyhow::Result<()> {
    let sql = "SELECT d.datname::text, pg_catalog.shobj_description(d.oid, 'pg_database') \
                   FROM pg_catalog.pg_database d WHERE pg_catalog.starts_with(d.datname::text, $1) ORDER BY d.oid DESC";
    let rows = query(session, sql, &[&format!("{}_", house.stem.as_str())])?;
    let found: Vec<(String, Option<String>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
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
        if let Some(second) = remark.as_deref().and_then(|remark| remark.strip_prefix(KEPT)) {
            kept += 1;
            let age = now().saturating_sub(second.parse().unwrap_or_default());
            if kept <= MOST_KEPT && age < KEPT_FOR.as_secs() {
                continue;
            }
        } else if state == State::Ready && living.iter().any(|digest| digest == clone.digest()) {
            continue;
        }
        if !own.contains(&clone.lock()) {
            drop_unless_held(house, session, &clone, state)?;
        }
    }
    for digest in of_kind("building") {
        template::abandon(session, &house.administrator, &house.stem, &digest)?;
    }
    for digest in old {
        drop_database(session, &house.administrator, &house.stem.template(digest))?;
    }
    Ok(())
}

fn drop_unless_held(house: &House, session: &mut Session, clone: &CloneName, state: State) -> anyhow::Result<()> {
    let key = clone.lock();
    let lock = format!("SELECT pg_catalog.pg_try_advisory_lock({CLONES}, {key})");
    if !query_one(session, &lock, &[])?.get::<_, bool>(0) {
        return Ok(());
    }
    let database: Identifier = clone.in_state(state);
    let outcome = drop_database(session, &house.administrator, &database);
    query(session, &format!("SELECT pg_catalog.pg_advisory_unlock({CLONES}, {key})"), &[])?;
    outcome
}
