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
    let settings = condition.outward.iter().filter(|found| matches!(found.by, By::Setting { .. }));
    Check::new(id, status, message)
        .about(routines)
        .mended_by(settings.map(|found| ddl::set_routine_search_path(&found.routine, &expected.schema)))
}

/// Whether it fails when it is called, or reads another copy of what the app has.
fn is_broken(found: &Outward) -> bool {
    match found.by {
        By::Body { is_missing, has_twin, .. } => is_missing || has_twin,
        By::Setting { is_lost, .. } => is_lost,
    }
}

fn describe(Outward { routine, by }: &Outward, expected: &Expected) -> String {
    let (routine, own) = (routine.qualified(), &expected.schema);
    match by {
        By::Body { schema, name, is_missing: true, .. } => format!(
            "function {routine} names {schema}.{name}, which does not exist: it fails when it is called; replace it by \
             one that names {own}.{name}"
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
            format!("function {routine} sets its own search_path to {path}: it does not find what lies in {own}")
        }
        By::Setting { path, .. } => {
            format!("function {routine} sets its own search_path to {path}: {own} does not come first")
        }
    }
}
