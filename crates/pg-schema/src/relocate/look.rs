//! The app's own view of what moves, by its own login: what it can select from, and what it finds by a bare name.

use std::collections::HashSet;

use pg_config::{Identifier, Session};
use postgres::error::SqlState;

use super::{
    item::{Item, Key, RELATIONS, ROUTINES, TYPES},
    plan::Plan,
};
use crate::{
    query::{PASSED, PASSING, PATIENCE, execute_at_once, query},
    sql_error::SqlError,
    transaction::in_transaction,
};

/// What the app cannot use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    failing: HashSet<Key>,
}

/// How long one relation's lock is waited for, after that of many has not come: those who hold one may hold all.
const SHORT: &str = "SET LOCAL lock_timeout = '10ms'";

/// How many relations one round trip looks at.
const AT_ONCE: usize = 200;

/// Looks before the move: tables need only the privilege.
pub fn look_before(app: &mut Session, plan: &Plan, progress: &mut dyn FnMut(&str)) -> Result<Look, SqlError> {
    let mut failing = by_bare_names(app, plan)?;
    failing.extend(in_transaction(app, |app, _| {
        let views = not_selectable(app, &relations(plan, &["view", "materialized view"]), &plan.from, progress)?;
        let tables = keys(plan, RELATIONS);
        let sql = "SELECT o.oid FROM pg_catalog.unnest(pg_catalog.string_to_array($1, ',')::oid[]) AS o(oid)
                   WHERE NOT pg_catalog.has_table_privilege(o.oid, 'SELECT')";
        let rows = query(app, sql, &[&tables])?;
        Ok(views.into_iter().chain(rows.iter().map(|row| (RELATIONS, row.get(0)))).collect::<Vec<_>>())
    })?);
    Ok(Look { failing })
}

/// Looks after the move, by a new session.
pub fn look_after(app: &mut Session, plan: &Plan, progress: &mut dyn FnMut(&str)) -> Result<Look, SqlError> {
    let mut failing = by_bare_names(app, plan)?;
    let relations = relations(plan, &["table", "view", "materialized view"]);
    failing.extend(in_transaction(app, |app, _| not_selectable(app, &relations, &plan.to, progress))?);
    Ok(Look { failing })
}

fn relations<'a>(plan: &'a Plan, kinds: &[&str]) -> Vec<&'a Item> {
    plan.moves.iter().filter(|item| kinds.contains(&item.kind)).collect()
}

/// Those that cannot be selected from.
fn not_selectable(
    app: &mut Session,
    relations: &[&Item],
    schema: &Identifier,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Key>, SqlError> {
    let mut failing = Vec::new();
    for (number, some) in relations.chunks(AT_ONCE).enumerate() {
        progress(&format!("selecting as the app: {} of {} relations", number * AT_ONCE, relations.len()));
        if select(app, some, schema)? {
            continue;
        }
        for one in some {
            if !select(app, &[one], schema)? {
                failing.push(one.key);
            }
        }
    }
    Ok(failing)
}

/// What the app's own path does not find by a bare name: asked outside our transactions, which have another path.
fn by_bare_names(app: &mut Session, plan: &Plan) -> Result<HashSet<Key>, SqlError> {
    let mut failing = HashSet::new();
    for (class, function) in
        [(RELATIONS, "pg_table_is_visible"), (ROUTINES, "pg_function_is_visible"), (TYPES, "pg_type_is_visible")]
    {
        let sql = format!(
            "SELECT o.oid FROM pg_catalog.unnest(pg_catalog.string_to_array($1, ',')::pg_catalog.oid[]) AS o(oid) \
             WHERE NOT pg_catalog.{function}(o.oid)"
        );
        let rows = query(app, &sql, &[&keys(plan, class)])?;
        failing.extend(rows.iter().map(|row| (class, row.get::<_, u32>(0))));
    }
    Ok(failing)
}

fn keys(plan: &Plan, class: u32) -> String {
    let oids = plan.moves.iter().filter(|item| item.key.0 == class).map(|item| item.key.1.to_string());
    oids.collect::<Vec<_>>().join(",")
}

/// Whether all of these can be selected from. No row is read. One that another session has locked counts as one that can.
fn select(app: &mut Session, relations: &[&Item], schema: &Identifier) -> Result<bool, SqlError> {
    let selects: Vec<_> = relations.iter().map(|item| format!("SELECT FROM {schema}.{} LIMIT 0", item.name)).collect();
    let patience = if relations.len() == 1 { format!("{PATIENCE}; {SHORT}") } else { PATIENCE.to_owned() };
    let outcome = execute_at_once(app, &format!("{PASSING}; {patience}; {}; {PASSED}", selects.join("; ")));
    if outcome.is_err() {
        // A session that is broken says so in the outcome.
        let _ = execute_at_once(app, PASSED);
    }
    match outcome {
        Ok(()) => Ok(true),
        Err(error) if error.is(&SqlState::LOCK_NOT_AVAILABLE) && relations.len() == 1 => Ok(true),
        Err(error) if error.is_final() => Err(error),
        Err(_) => Ok(false),
    }
}

impl Look {
    /// What can no longer be used, in words.
    pub fn lost(&self, after: &Self, plan: &Plan) -> Vec<String> {
        let lost =
            plan.moves.iter().filter(|item| after.failing.contains(&item.key) && !self.failing.contains(&item.key));
        lost.map(Item::described).collect()
    }
}
