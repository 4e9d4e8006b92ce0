//! Objects of the app's outside its schema.

use super::{
    Definition, more_than_one, no_schema,
    placement::{beside, is_bookkeeping, is_theirs, libraries, moving, none_but},
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
    let (of_libraries, found): (Vec<_>, Vec<_>) = facts.misplaced.iter().partition(|found| found.library.is_some());
    let libraries = libraries(of_libraries.iter().map(|found| found.object.schema.as_ref()), expected);
    let found = found.into_iter().filter(|found| !is_bookkeeping(found) && found.twin.is_none());
    let (theirs, found): (Vec<_>, Vec<_>) =
        found.partition(|found| found.extension.is_some() || is_theirs(found, facts));
    let Some(first) = found.first() else {
        let clean = format!("nothing of {}'s lies outside {}", expected.role, expected.schema);
        if libraries.is_empty() {
            return none_but(ID, clean, &theirs);
        }
        let clean = format!("{clean} but what libraries keep{libraries}{}", beside(&theirs));
        return Check::warn(ID, clean).about(of_libraries.iter().chain(&theirs).map(|found| found.object.clone()));
    };
    let more = more_than_one(found.len(), "object");
    let message =
        format!("{} {} lies outside {}{more}", first.object.kind.as_str(), first.object.qualified(), expected.schema);
    let kept = match first.object.schema.as_ref().filter(|schema| schema.as_str() != "public") {
        Some(schema) => format!("; where a tool or the app keeps {schema} on purpose, name it in DB_OTHER_SCHEMAS"),
        None => String::new(),
    };
    let (command, statements) = moving(&[], &found, facts, expected);
    Check::fail(ID, message + &command + &kept + &libraries + &beside(&theirs))
        .about(found.iter().chain(&theirs).map(|found| found.object.clone()))
        .fixed_by_hand(statements)
}
