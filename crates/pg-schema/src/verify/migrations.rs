//! Whether the migrations that ran are the ones that lie in the workspace.

use crate::{Expected, Facts, remark::Remark, report::Check};

pub(super) fn migrations(facts: &Facts, expected: &Expected) -> Check {
    let id = "migrations";
    let Some(schema) = &facts.schema else {
        return Check::skip(id, format!("schema {} does not exist", expected.schema));
    };
    if let Some(at) = &schema.remark.failed {
        return Check::fail(
            id,
            format!(
                "the run of the migrations at {at} failed, and none was verified since: mend them, and run cargo xtask db-migrate"
            ),
        );
    }
    let Some(current) = &expected.digest else {
        return Check::skip(id, "MIGRATE_INPUTS names no files to compare with");
    };
    match (facts.recorded_digest(), &schema.comment) {
        (Some(recorded), _) if recorded == *current => {
            Check::pass(id, "the migration files are those of the last verified run")
        }
        (Some(_), _) => {
            Check::fail(id, "the migration files changed since the last verified run: run cargo xtask db-migrate")
        }
        (None, Some(_)) if !Remark::may_replace(schema.comment.as_deref()) => Check::skip(
            id,
            format!("the comment on schema {} is somebody else's: no digest can be kept there", expected.schema),
        ),
        (None, _) => Check::warn(id, "no verified run of the migrations is recorded: run cargo xtask db-migrate"),
    }
}
