//! Markdown as GitHub and GitLab show it: what is wrong first, the SQL under it, what is well folded away.

use std::{fmt::Write, iter};

use pg_schema::{Check, Status, ddl};

use super::{Failure, Listed, Printed, listed::more};
use crate::{
    escape::{self, markdown, markdown_code},
    outcome::Outcome,
};

pub(super) fn document(printed: &Printed<'_>) -> String {
    let mut text = format!("## {}: {}\n\n", printed.command, printed.verdict());
    let (place, server) = (markdown(&printed.place()), markdown(&printed.server()));
    let _ = writeln!(text, "{} in {} ms: {place} on {server}", printed.counts(), printed.elapsed.as_millis());
    let (passed, noted): (Vec<_>, Vec<_>) =
        printed.report.checks.iter().partition(|check| check.status == Status::Pass);
    if !noted.is_empty() {
        text.push_str("\n| status | check | message |\n|---|---|---|\n");
        // What is worst first; within one status in the contract's order.
        for status in [Status::Fail, Status::Warn, Status::Skip] {
            for check in noted.iter().filter(|check| check.status == status) {
                let _ = writeln!(text, "| {} | `{}` | {} |", status.as_str(), check.id, markdown(&check.message));
            }
        }
    }
    for check in noted {
        write_details(&mut text, check);
    }
    if !passed.is_empty() {
        let _ =
            write!(text, "\n<details><summary>{} passed</summary>\n\n| check | message |\n|---|---|\n", passed.len());
        for check in passed {
            let _ = writeln!(text, "| `{}` | {} |", check.id, markdown(&check.message));
        }
        text.push_str("\n</details>\n");
    }
    text
}

pub(super) fn error(failure: &Failure<'_>) -> String {
    let word = if failure.outcome == Outcome::NoServer { "no server found" } else { "an error" };
    format!(
        "## {}: {word}\n\nThere is no verdict.\n\n{}",
        failure.command,
        markdown_code("text", &escape::lines(failure.text))
    )
}

/// The objects of a finding and the SQL that fixes it.
fn write_details(text: &mut String, check: &Check) {
    let listed = Listed::of(check);
    if listed.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n### `{}`", check.id);
    if !listed.objects.is_empty() {
        text.push('\n');
    }
    for object in listed.objects.iter().cloned().chain(more(listed.more_objects)) {
        let _ = writeln!(text, "- {}", markdown(&object));
    }
    if !listed.statements.is_empty() {
        let statements = listed.statements.iter().map(|statement| format!("{} -- {}", statement.sql, statement.how));
        let lines: Vec<_> = iter::once(format!("{};", ddl::SAFE_PATH)).chain(statements).collect();
        let _ = write!(text, "\n{}", markdown_code("sql", &lines.join("\n")));
    }
    if let Some(words) = more(listed.more_statements) {
        let _ = writeln!(text, "\n{}", markdown(&words));
    }
}
