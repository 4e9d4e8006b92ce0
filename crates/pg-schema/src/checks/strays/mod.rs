//! Objects of the app's outside its schema.

use super::{
    Definition, more_than_one, no_schema,
    placement::{beside, is_bookkeeping, is_theirs, moving, none_but},
};
use crate::{Expected, Facts, report::Check};

const ID: &str = "strays";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    // One statement brings all of it back.
    if facts.renamed_schema(expected).is_some() {
        return no_schema(ID, &expected.schema);
    }
    let found = facts.misplaced.iter().filter(|found| !is_bookkeeping(found) && found.twin.is_none());
    let (theirs, found): (Vec<_>, Vec<_>) =
        found.partition(|found| found.extension.is_some() || is_theirs(found, facts));
    let Some(first) = found.first() else {
        let clean = format!("nothing of {}'s lies outside {}", expected.role, expected.schema);
        return none_but(ID, clean, &theirs);
    };
    let more = more_than_one(found.len(), "object");
    let message =
        format!("{} {} lies outside {}{more}", first.object.kind.as_str(), first.object.qualified(), expected.schema);
    let (command, statements) = moving(&[], &found, facts, expected);
    Check::fail(ID, message + &command + &beside(&theirs))
        .about(found.iter().chain(&theirs).map(|found| found.object.clone()))
        .fixed_by_hand(statements)
}
