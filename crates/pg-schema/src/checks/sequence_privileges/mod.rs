//! Whether the app has every privilege on its sequences.

use super::{Definition, table_privileges::lacking};
use crate::{Expected, Facts, object::Kind, report::Check};

const ID: &str = "sequence-privileges";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    lacking(ID, "sequence", facts, expected, |kind| kind == Kind::Sequence)
}
