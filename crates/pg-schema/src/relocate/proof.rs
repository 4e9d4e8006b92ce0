//! That nothing but the schema has changed: read in the same transaction before and after, from the catalog alone.

use std::collections::{HashMap, HashSet};

use pg_config::{Identifier, Literal, Session};

use super::{
    item::{Item, Key},
    plan::Plan,
    users::users,
};
use crate::{Expected, ddl, facts::filled, query::query, sql_error::SqlError, transaction::RUN_ONCE};

/// For psql: a schema is renamed to the app's, a new one takes its place, and the catalog is read before and after as a
/// move reads it. It is rolled back, and each table is selected from.
pub fn bare_rename(from: &Identifier, expected: &Expected) -> String {
    let to = &expected.schema;
    let (old, new, role) = (from.as_str(), to.as_str(), expected.role.as_str());
    let administrator = expected.administrator.as_ref().map_or("", Identifier::as_str);
    let objects = |schema| filled(include_str!("../sql/relocate/objects.sql"), &[schema, role, administrator]);
    let digests = filled(include_str!("../sql/relocate/proof.sql"), &[old, new]);
    let users = |schema: &Identifier, other: &Identifier| {
        let oids = format!(
            "(SELECT pg_catalog.string_agg(c.oid::text, ',') FROM pg_catalog.pg_class c \
             WHERE c.relkind NOT IN ('i', 'I', 't') AND c.relnamespace = {}::pg_catalog.regnamespace)",
            Literal(&schema.in_text())
        );
        let query = include_str!("../sql/relocate/grantees.sql").replace("$3", &oids).replace("$4", "''");
        filled(&query.replace("$5", "''"), &[schema.as_str(), other.as_str()])
    };
    [
        format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {RUN_ONCE};\n"),
        objects(old),
        users(from, to),
        digests.clone(),
        format!("{};\n{};\n{};\n", ddl::drop_schema(to), ddl::rename_schema(from, to), ddl::create_schema(from)),
        digests,
        objects(new),
        objects(old),
        users(to, from),
        "ROLLBACK;\n".to_owned(),
        // One transaction for each: all in one need more locks than the server has.
        format!(
            "SELECT pg_catalog.format('SELECT FROM %I.%I LIMIT 0', n.nspname, c.relname) FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = {} AND c.relkind IN ('r', 'p', 'v', 'm') \\gexec\n",
            Literal(old)
        ),
    ]
    .concat()
}

/// A digest of each object of both schemas, by what it is and its oid; and one, by the oid 0, of each catalog in which no
/// row may be written.
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
            Some(_) if *oid == 0 => Some(format!("an entry in the catalog of {what} was written")),
            Some(_) => Some(format!("{what} {name} (oid {oid}) is not what it was")),
            None => Some(format!("{what} {name} (oid {oid}) is gone")),
        });
        let new = after.0.iter().find(|(key, _)| !self.0.contains_key(key));
        lost.or_else(|| new.map(|((what, oid), (name, _))| format!("{what} {name} (oid {oid}) is new")))
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
