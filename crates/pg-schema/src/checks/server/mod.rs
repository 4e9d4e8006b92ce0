//! Whether the server is one that can be worked with.

use super::Definition;
use crate::{Facts, report::Check};

const ID: &str = "server";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts)) };

fn judge(facts: &Facts) -> Check {
    let version = facts.version.split_whitespace().next().unwrap_or(&facts.version);
    if facts.version_number < 130_000 {
        return Check::fail(ID, format!("PostgreSQL {version} is older than 13, the oldest that is supported"));
    }
    if facts.in_recovery {
        return Check::warn(ID, format!("PostgreSQL {version} is a standby: it can be read, not written"));
    }
    Check::pass(ID, format!("PostgreSQL {version} answers"))
}
