//! Routines of the schema that lead out of it: nothing tracks what a text names, so nothing keeps it right.

use super::access::more_than_one;
use crate::{
    Condition, Expected, Outward,
    condition::routines::By,
    ddl,
    report::{Check, Status},
};

pub(super) fn function_bodies(condition: &Condition, expected: &Expected) -> Check {
    let id = "function-bodies";
    let first = condition.outward.iter().find(|found| is_broken(found)).or(condition.outward.first());
    let Some(first) = first else {
        return Check::pass(id, format!("no function of {} leads out of it", expected.schema));
    };
    let mut routines: Vec<_> = condition.outward.iter().map(|found| found.routine.clone()).collect();
    routines.dedup();
    let status = if is_broken(first) { Status::Fail } else { Status::Warn };
    let message = describe(first, expected) + &more_than_one(routines.len(), "function");
    let settings = condition.outward.iter().filter_map(|found| match &found.by {
        By::Setting { path, .. } => Some(ddl::set_routine_search_path(&found.routine, &expected.schema, path)),
        By::Body { .. } => None,
    });
    Check::new(id, status, message).about(routines).mended_by_hand(settings)
}

/// Whether it works on another copy of what the app has. What else it needs only a call would show.
fn is_broken(found: &Outward) -> bool {
    match found.by {
        By::Body { has_twin, .. } => has_twin,
        By::Setting { .. } => false,
    }
}

fn describe(Outward { routine, by }: &Outward, expected: &Expected) -> String {
    let (routine, own) = (routine.qualified(), &expected.schema);
    match by {
        By::Body { schema, name, is_missing: true, .. } => format!(
            "function {routine} names {schema}.{name}, of which there is none: if it is a table or a function, the call \
             fails; then replace it by one that names {own}.{name}"
        ),
        By::Body { schema, name, has_twin: true, .. } => format!(
            "function {routine} names {schema}.{name}, and not {own}.{name}, which the app uses; replace it by one that \
             names {own}.{name}"
        ),
        By::Body { schema, name, .. } => {
            format!(
                "function {routine} names {schema}.{name}: no search_path leads it elsewhere, should that ever move"
            )
        }
        By::Setting { path, is_lost: true } => {
            format!(
                "function {routine} sets its own search_path to {path}: by a bare name it does not find what lies in {own}"
            )
        }
        By::Setting { path, .. } => {
            format!("function {routine} sets its own search_path to {path}: {own} does not come first")
        }
    }
}
