//! Whether the migrations that ran are the ones that lie in the workspace.

use super::{Definition, no_schema};
use crate::{
    Expected, Facts,
    report::{Check, Report},
    schema_comment::SchemaComment,
};

const ID: &str = "migrations";

pub(super) const CHECK: Definition =
    Definition { id: ID, explanation: include_str!("explain.md"), look: |look| Ok(judge(look.facts, look.expected)) };

fn judge(facts: &Facts, expected: &Expected) -> Check {
    let Some(schema) = &facts.schema else { return no_schema(ID, &expected.schema) };
    if let Some(at) = &schema.remark.failed {
        return Check::fail(
            ID,
            format!(
                "the run of the migrations at {at} failed, and none was verified since: fix them, and run cargo xtask db-migrate"
            ),
        );
    }
    let Some(current) = &expected.digest else {
        return Check::skip(ID, "MIGRATE_INPUTS names no files to compare with");
    };
    match (facts.recorded_digest(), &schema.comment) {
        (Some(recorded), _) if recorded == *current => {
            Check::pass(ID, "the migration files are those of the last verified run")
        }
        (Some(_), _) => {
            Check::fail(ID, "the migration files changed since the last verified run: run cargo xtask db-migrate")
        }
        (None, Some(_)) if !SchemaComment::may_replace(schema.comment.as_deref()) => Check::skip(
            ID,
            format!(
                "the comment on schema {} was not written by cargo xtask: no digest can be kept there",
                expected.schema
            ),
        ),
        (None, _) => Check::warn(ID, "no verified run of the migrations is recorded: run cargo xtask db-migrate"),
    }
}

/// Corrects a report after the digest was recorded on the strength of it.
pub(crate) fn note_recorded(report: &mut Report) {
    if let Some(check) = report.check_mut(ID) {
        *check = Check::pass(ID, "the migration files are those of this verified run");
    }
}
