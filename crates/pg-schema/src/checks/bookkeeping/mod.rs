//! The tables of migration tools outside the schema.

use super::{
    Definition, no_schema,
    placement::{advice, beside, counted, is_bookkeeping, is_theirs, moving, none_but, own_setting},
};
use crate::{Expected, Facts, report::Check};

const ID: &str = "bookkeeping";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    // One statement brings all of it back.
    if facts.renamed_schema(expected).is_some() {
        return no_schema(ID, &expected.schema);
    }
    let found = facts.misplaced.iter().filter(|found| is_bookkeeping(found) && found.library.is_none());
    let (theirs, found): (Vec<_>, Vec<_>) = found.partition(|found| is_theirs(found, facts));
    let Some(first) = found.first() else {
        let clean = format!("no migration tool keeps its books outside {}", expected.schema);
        return none_but(ID, clean, &theirs);
    };
    let (copies, alone): (Vec<_>, Vec<_>) = found.iter().partition(|found| found.twin.is_some());
    let (command, statements) = moving(&copies, &alone, facts, expected);
    let twin = if first.twin.is_some() { format!(", and in {} too", expected.schema) } else { String::new() };
    let message = format!(
        "{} keeps a migration tool's books outside {}{twin}: the tool may believe that nothing is left to do{}{}{command}{}{}",
        first.object.qualified(),
        expected.schema,
        counted(&copies, found.len() == 1, expected),
        advice(&copies, facts),
        own_setting(first),
        beside(&theirs),
    );
    Check::fail(ID, message)
        .about(found.iter().chain(&theirs).map(|found| found.object.clone()))
        .fixed_by_hand(statements)
}
