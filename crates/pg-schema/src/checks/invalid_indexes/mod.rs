//! Indexes that no query uses or that are sorted by another library, and constraints that older rows may break.

mod collations;

use pg_config::Identifier;

use self::collations::Outdated;
use super::{Definition, Look, more_than_one};
use crate::{
    Expected, ddl, facts,
    object::{Kind, Object},
    report::{Action, Check, Fix, Status},
    sql_error::SqlError,
};

const ID: &str = "invalid-indexes";

pub(super) const CHECK: Definition = Definition {
    id: ID,
    explanation: include_str!("explain.md"),
    look: |look| {
        let (unfinished, outdated) = (read(look)?, collations::read(look)?);
        Ok(with_collations(judge(&unfinished, look.expected), &outdated, look.expected))
    },
};

/// An index or a constraint that does not do its work.
#[derive(Clone, Debug)]
struct Unfinished {
    /// The index or the constraint.
    object: Object,
    /// The table or domain that it belongs to.
    of: Identifier,
    /// What it is.
    state: State,
}

/// What is unfinished, and so what could finish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// An index whose making failed.
    Invalid,
    /// One that somebody may be making at this moment.
    BeingBuilt,
    /// What REINDEX CONCURRENTLY left behind.
    Leftover,
    /// An index of a partitioned table that some partition has none for.
    Partitioned,
    /// A constraint of a table that is NOT VALID.
    NotValid,
    /// The same of a domain.
    DomainNotValid,
}

fn read(look: &mut Look<'_>) -> Result<Vec<Unfinished>, SqlError> {
    if !look.facts.objects.has_unfinished {
        return Ok(Vec::new());
    }
    let rows = look.query(include_str!("query.sql"))?;
    let unfinished = rows.iter().map(|row| {
        let state = match row.get("what") {
            _ if row.get("is_being_built") => State::BeingBuilt,
            "leftover index" => State::Leftover,
            "partitioned index" => State::Partitioned,
            "constraint" => State::NotValid,
            "domain constraint" => State::DomainNotValid,
            _ => State::Invalid,
        };
        let is_constraint = matches!(state, State::NotValid | State::DomainNotValid);
        let of = facts::name(row, "of");
        Unfinished {
            object: Object {
                kind: if is_constraint { Kind::Constraint } else { Kind::Index },
                schema: Some(look.expected.schema.clone()),
                name: facts::name(row, "name"),
                arguments: None,
                table: (state != State::DomainNotValid).then(|| of.clone()),
                owner: Some(facts::name(row, "owner")),
            },
            of,
            state,
        }
    });
    Ok(unfinished.collect())
}

fn judge(unfinished: &[Unfinished], expected: &Expected) -> Check {
    let Some(first) = unfinished.first() else {
        return Check::pass(ID, format!("every index and constraint of {} does its work", expected.schema));
    };
    let more = more_than_one(unfinished.len(), "object");
    let (safe, by_hand): (Vec<_>, Vec<_>) = unfinished.iter().partition(|found| found.state != State::Leftover);
    Check::warn(ID, describe(first) + &more)
        .about(unfinished.iter().map(|found| found.object.clone()))
        .fixed_by_app(safe.into_iter().filter_map(finished).map(|sql| Fix::of(Action::Rebuild, sql)))
        .fixed_by_hand(by_hand.into_iter().filter_map(finished))
}

/// The verdict with what collations add to it.
fn with_collations(mut check: Check, outdated: &[Outdated], expected: &Expected) -> Check {
    if outdated.is_empty() {
        return check;
    }
    let words = collations::describe(outdated, expected);
    if check.status == Status::Pass {
        check = Check::warn(ID, words);
    } else {
        check.message = format!("{}; {words}", check.message);
    }
    check.objects.extend(outdated.iter().flat_map(|found| found.indexes.clone()));
    check.fixed_by_hand(collations::refreshed(outdated, expected))
}

fn describe(Unfinished { object, of, state }: &Unfinished) -> String {
    let (name, schema) = (object.qualified(), object.schema.as_ref().map_or("", |schema| schema.as_str()));
    match state {
        State::Invalid => format!("index {name} is invalid: no query uses it, and each write still pays for it"),
        State::BeingBuilt => {
            format!("index {name} is invalid; its build may still be running: look again when that has ended")
        }
        State::Leftover => format!("index {name} is what a failed REINDEX CONCURRENTLY left behind: it can go"),
        State::Partitioned => format!(
            "index {name} is invalid: a partition of table {of} has none of its own; make one there, and attach it \
             (ALTER INDEX {name} ATTACH PARTITION …)"
        ),
        State::NotValid => {
            format!("constraint {} of table {schema}.{of} is NOT VALID: rows from before it may break it", object.name)
        }
        State::DomainNotValid => format!(
            "constraint {} of domain {schema}.{of} is NOT VALID: values from before it may break it",
            object.name
        ),
    }
}

/// What finishes it.
fn finished(Unfinished { object, of, state }: &Unfinished) -> Option<String> {
    let schema = object.schema.as_ref()?;
    match state {
        State::Invalid => Some(ddl::reindex(object)),
        State::Leftover => Some(ddl::drop_index(object)),
        State::NotValid => Some(ddl::validate_constraint("TABLE", schema, of, &object.name)),
        State::DomainNotValid => Some(ddl::validate_constraint("DOMAIN", schema, of, &object.name)),
        State::BeingBuilt | State::Partitioned => None,
    }
}
