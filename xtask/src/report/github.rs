//! Workflow commands of GitHub Actions, which become annotations: one for each finding.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use pg_schema::Status;

use super::{Failure, Listed, Printed};

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
    annotation("error", failure.command, failure.text)
}

fn annotation(command: &str, title: &str, message: &str) -> String {
    let message = escaped(message);
    let title = escaped(title).replace(':', "%3A").replace(',', "%2C");
    format!("::{command} title={title}::{message}")
}

/// A command ends with its line.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_an_annotation_early() {
        assert_eq!(
            annotation("error", "a: b, c%\n", "100%: a, b::c\r\n::set-env name=x::y"),
            "::error title=a%3A b%2C c%25%0A::100%25: a, b::c%0D%0A::set-env name=x::y"
        );
    }
}
