//! Workflow commands of GitHub Actions, which become annotations: one for each finding.

use pg_schema::Status;

use super::{Failure, Listed, Printed};
use crate::escape;

pub(super) fn annotations(printed: &Printed<'_>) -> Vec<String> {
    let findings = printed.report.checks.iter().filter_map(|check| {
        let command = match check.status {
            Status::Fail => "error",
            Status::Warn => "warning",
            Status::Pass | Status::Skip => return None,
        };
        let title = format!("{}: {}", printed.command, check.id);
        Some(annotation(command, &title, &Listed::of(check).under(&check.message)))
    });
    findings.collect()
}

pub(super) fn error(failure: &Failure<'_>) -> String {
    annotation("error", failure.command, &escape::lines(failure.text))
}

fn annotation(command: &str, title: &str, message: &str) -> String {
    format!("::{command} title={}::{}", escape::workflow_property(title), escape::workflow(message))
}
