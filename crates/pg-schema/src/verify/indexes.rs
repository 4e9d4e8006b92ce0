//! Indexes that no query uses, and constraints that rows of before may break.

use super::access::more_than_one;
use crate::{Condition, Expected, Unfinished, condition::indexes::State, ddl, report::Check};

pub(super) fn invalid_indexes(condition: &Condition, expected: &Expected) -> Check {
    let id = "invalid-indexes";
    let Some(first) = condition.unfinished.first() else {
        return Check::pass(id, format!("every index and constraint of {} does its work", expected.schema));
    };
    let more = more_than_one(condition.unfinished.len(), "object");
    let (safe, by_hand): (Vec<_>, Vec<_>) =
        condition.unfinished.iter().partition(|found| found.state != State::Leftover);
    Check::warn(id, describe(first) + &more)
        .about(condition.unfinished.iter().map(|found| found.object.clone()))
        .mended_by_app(safe.into_iter().filter_map(finished))
        .mended_by_hand(by_hand.into_iter().filter_map(finished))
}

fn describe(Unfinished { object, of, state }: &Unfinished) -> String {
    let (name, schema) = (object.qualified(), object.schema.as_ref().map_or("", |schema| schema.as_str()));
    match state {
        State::Invalid => format!("index {name} is invalid: no query uses it, and each write still pays for it"),
        State::BeingBuilt => {
            format!("index {name} is invalid; somebody may be building it right now: look again when that has ended")
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
