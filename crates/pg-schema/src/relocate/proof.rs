//! That nothing but the schema has changed: read in the same transaction before and after, from the catalog alone.

use std::collections::{HashMap, HashSet};

use pg_config::{Identifier, Session};

use super::{
    item::{Item, Key},
    plan::Plan,
    users::users,
};
use crate::{Expected, query::query, sql_error::SqlError};

/// A digest of each part of each object of both schemas: what it is of, and the oid.
pub(super) struct Digests(HashMap<(String, u32), (String, String)>);

impl Digests {
    pub(super) fn take(session: &mut Session, plan: &Plan) -> Result<Self, SqlError> {
        let names = [plan.from.as_str(), plan.to.as_str()];
        let rows = query(session, include_str!("../sql/relocate/proof.sql"), &names)?;
        let digests = rows.iter().map(|row| {
            ((row.get("what"), row.get("oid")), (row.get::<_, String>("name"), row.get::<_, String>("digest")))
        });
        Ok(Self(digests.collect()))
    }

    /// The first difference, in words. What was rewritten on purpose is left out.
    pub(super) fn difference(&self, after: &Self, plan: &Plan) -> Option<String> {
        let rewritten: HashSet<u32> = plan.rewrites.iter().map(super::Rewrite::oid).collect();
        let is_meant = |what: &str, oid: u32| what == "routine" && rewritten.contains(&oid);
        let lost = self.0.iter().find_map(|((what, oid), (name, digest))| match after.0.get(&(what.clone(), *oid)) {
            _ if is_meant(what, *oid) => None,
            Some((_, new)) if new == digest => None,
            Some(_) => Some(format!("{what} of {name} (oid {oid}) is not what it was")),
            None => Some(format!("{what} of {name} (oid {oid}) is gone")),
        });
        let new = after.0.iter().find(|(key, _)| !self.0.contains_key(key));
        lost.or_else(|| new.map(|((what, oid), (name, _))| format!("{what} of {name} (oid {oid}) is new")))
    }
}

/// What does not lie where the plan says, or is out of reach for a role that reached it; `None` where all is as it should.
pub(super) fn misplaced(session: &mut Session, plan: &Plan, expected: &Expected) -> Result<Option<String>, SqlError> {
    let there = Item::read_all(session, &plan.to, expected)?;
    let there: HashSet<Key> = there.iter().map(|item| item.key).collect();
    if let Some(item) = plan.moves.iter().find(|item| !there.contains(&item.key)) {
        return Ok(Some(format!("{} is not in {}", item.described(), plan.to)));
    }
    let here = Item::read_all(session, &plan.from, expected)?;
    let stays: HashSet<Key> = plan.stays.iter().map(|(item, _)| item.key).collect();
    if let Some(item) = here.iter().find(|item| !stays.contains(&item.key)) {
        return Ok(Some(format!("{} is still in {}", item.described(), plan.from)));
    }
    if here.len() != stays.len() {
        return Ok(Some(format!("something that stays is no longer in {}", plan.from)));
    }
    let reaching = users(session, &plan.to, &plan.from, &plan.moves)?;
    let reaching: HashSet<_> = reaching.into_iter().filter(|user| user.may_use).map(|user| user.name).collect();
    Ok(plan.users.iter().find(|name| !reaching.contains(*name)).map(|name| match name.as_str() {
        "" => format!("not everyone may use schema {}", plan.to),
        name => format!("role {} may not use schema {}", Identifier::from_catalog(name), plan.to),
    }))
}
