//! Objects of the app's that are there twice.

use super::{
    Definition,
    placement::{advice, beside, counted, is_bookkeeping, is_theirs, moving, none_but, place},
};
use crate::{Expected, Facts, report::Check};

const ID: &str = "duplicates";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    let found = facts.misplaced.iter().filter(|found| !is_bookkeeping(found) && found.twin.is_some());
    let (theirs, found): (Vec<_>, Vec<_>) = found.partition(|found| is_theirs(found, facts));
    let Some(first) = found.first() else {
        return none_but(ID, format!("nothing of {} has a copy elsewhere", expected.schema), &theirs);
    };
    let schema = &expected.schema;
    let mut places: Vec<_> = found.iter().map(|found| place(&found.object)).collect();
    places.dedup();
    let elsewhere = places.join(", ");
    let message = match found.len() {
        1 => format!("{} {} is there twice", first.object.kind.as_str(), first.object.name),
        count => format!("{count} objects of {elsewhere} are there twice"),
    };
    let (counted, advice) = (counted(&found, found.len() == 1, expected), advice(&found, facts));
    let (command, statements) = moving(&found, &[], facts, expected);
    Check::fail(ID, format!("{message}, in {elsewhere} and in {schema}{counted}{advice}{command}{}", beside(&theirs)))
        .about(found.iter().chain(&theirs).map(|found| found.object.clone()))
        .fixed_by_hand(statements)
}
