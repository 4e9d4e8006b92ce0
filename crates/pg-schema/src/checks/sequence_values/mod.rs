//! Sequences that stand behind the values that their columns hold already.

mod sequences;

use self::sequences::{Behind, Sequences};
use super::{Definition, more_than_one, no_schema};
use crate::{
    Expected, Facts,
    report::{Check, Status},
};

const ID: &str = "sequence-values";

pub(super) const CHECK: Definition = Definition {
    id: ID,
    explanation: include_str!("explain.md"),
    look: |look| Ok(judge(look.facts, &sequences::read(look)?, look.expected)),
};

fn judge(facts: &Facts, sequences: &Sequences, expected: &Expected) -> Check {
    if facts.schema.is_none() {
        return no_schema(ID, &expected.schema);
    }
    let Sequences { behind, looked_at, hidden, slow, locked, failing } = sequences;
    let first = behind.iter().find(|found| !found.is_interleaved()).or(behind.first());
    if let Some(first) = first {
        let Behind { sequence, table, column, edge, .. } = first;
        let advice = match (first.is_interleaved(), first.has_room()) {
            (true, _) => "; it counts in steps: where others take the values between, all may be well",
            (false, true) => "",
            (false, false) => "; there is no value beyond that one: fix that row first",
        };
        let message = format!(
            "sequence {} stands behind column {column} of {}, which holds {edge} already: INSERTs \
             will fail with duplicate keys{advice}{}",
            sequence.qualified(),
            table.qualified(),
            more_than_one(behind.len(), "sequence")
        );
        let status = if first.is_interleaved() { Status::Warn } else { Status::Fail };
        let (simple, steps): (Vec<_>, Vec<_>) =
            behind.iter().filter(|found| found.has_room()).partition(|found| !found.is_interleaved());
        return Check::new(ID, status, message)
            .about(behind.iter().map(|found| found.sequence.clone()))
            .fixed_by_app(simple.into_iter().map(Behind::catch_up))
            .fixed_by_hand_as_app(steps.into_iter().map(Behind::catch_up));
    }
    if let Some((first, words)) = failing.first() {
        let message = format!(
            "whether sequence {} stands behind its column is not known: its table cannot be read: {words}{}",
            first.qualified(),
            more_than_one(failing.len(), "sequence")
        );
        return Check::warn(ID, message).about(failing.iter().map(|(sequence, _)| sequence.clone()));
    }
    let unknown: Vec<_> = [
        (hidden.len(), format!("role {} may not see every row of their tables", expected.role)),
        (slow.len(), "no index leads to the largest value of their large tables".to_owned()),
        (*locked, "their tables are locked, or took longer than 10 s".to_owned()),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, reason)| format!("{count} cannot be looked at, as {reason}"))
    .collect();
    let objects = || hidden.iter().chain(slow).cloned();
    match (unknown.as_slice(), looked_at) {
        ([], _) => Check::pass(ID, format!("no sequence of {} stands behind the column that owns it", expected.schema)),
        (unknown, 0) => Check::skip(ID, unknown.join("; ")).about(objects()),
        // The rest was looked at, and is well.
        (unknown, _) => {
            let message = format!(
                "{looked_at} sequences of {} are ahead of their columns; {}",
                expected.schema,
                unknown.join("; ")
            );
            Check::pass(ID, message).about(objects())
        }
    }
}
