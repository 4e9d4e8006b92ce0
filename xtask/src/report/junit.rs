//! JUnit's XML, as Jenkins, GitLab and the actions of GitHub read it: one test case a check.
//! <https://github.com/testmoapp/junitxml> says what they have in common.

use std::{fmt::Write, time::Duration};

use pg_schema::{Check, Status};

use super::{Failure, Listed, Printed};
use crate::outcome::Outcome;

pub(super) fn document(printed: &Printed<'_>) -> String {
    let (report, expected) = (printed.report, printed.expected());
    let mut cases = String::from("    <properties>\n");
    let version = printed.version().unwrap_or("unknown");
    for (name, value) in [
        ("server", printed.target.describe().as_str()),
        ("version", version),
        ("database", expected.database.as_str()),
        ("role", expected.role.as_str()),
        ("schema", expected.schema.as_str()),
    ] {
        let _ = writeln!(cases, "      <property name=\"{name}\" value=\"{}\"/>", attribute(value));
    }
    cases.push_str("    </properties>\n");
    for check in &report.checks {
        write_case(&mut cases, printed.command, check.id, &content(check));
    }
    let counts = Counts {
        tests: report.checks.len(),
        failures: report.count(Status::Fail),
        errors: 0,
        skipped: report.count(Status::Skip),
    };
    suite(printed.command, &counts, printed.elapsed, &cases)
}

/// One test case for the whole run.
pub(super) fn error(failure: &Failure<'_>) -> String {
    let kind = if failure.outcome == Outcome::NoServer { "no-server" } else { "error" };
    let content = with_text("error", failure.text.lines().next().unwrap_or_default(), kind, failure.text);
    let mut cases = String::new();
    write_case(&mut cases, failure.command, failure.command, &content);
    let counts = Counts { tests: 1, failures: 0, errors: 1, skipped: 0 };
    suite(failure.command, &counts, failure.elapsed, &cases)
}

struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

fn suite(command: &str, counts: &Counts, elapsed: Duration, cases: &str) -> String {
    let Counts { tests, failures, errors, skipped } = counts;
    let time = elapsed.as_secs_f64();
    let attributes = format!(
        "name=\"{command}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" \
         time=\"{time:.3}\""
    );
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {attributes}>\n  <testsuite {attributes}>\n{cases}  \
         </testsuite>\n</testsuites>\n"
    )
}

fn write_case(cases: &mut String, command: &str, name: &str, content: &str) {
    // All checks are made of one reading of the catalog: none has a time of its own.
    let start = format!("    <testcase classname=\"{command}\" name=\"{name}\" time=\"0\"");
    let _ = match content {
        "" => writeln!(cases, "{start}/>"),
        content => writeln!(cases, "{start}>{content}</testcase>"),
    };
}

fn content(check: &Check) -> String {
    let text = Listed::of(check).under(&check.message);
    match check.status {
        Status::Pass => String::new(),
        Status::Fail => with_text("failure", &check.message, check.id, &text),
        // JUnit has no warnings: the case passes, and has said something.
        Status::Warn => format!("<system-out>warning: {}</system-out>", escaped(&text)),
        Status::Skip => format!("<skipped message=\"{}\"/>", attribute(&check.message)),
    }
}

fn with_text(element: &str, message: &str, kind: &str, text: &str) -> String {
    format!("<{element} message=\"{}\" type=\"{kind}\">{}</{element}>", attribute(message), escaped(text))
}

/// Text between tags. What XML 1.0 has no way to write (§2.2, `Char`) is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // A reader would make a line feed of it.
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(letter),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// An attribute's value, in which a reader would make blanks of tabs and line feeds.
fn attribute(text: &str) -> String {
    escaped(text).replace('"', "&quot;").replace('\t', "&#9;").replace('\n', "&#10;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_can_be_written() {
        assert_eq!(escaped("a<b> & \"c\"\r\n\t]]>é\u{7f}"), "a&lt;b&gt; &amp; \"c\"&#13;\n\t]]&gt;é\u{7f}");
        assert_eq!(
            escaped("\0\u{1}\u{b}\u{1b}[0m\u{fffe}\u{ffff}"),
            "\u{fffd}\u{fffd}\u{fffd}\u{fffd}[0m\u{fffd}\u{fffd}"
        );
        assert_eq!(attribute("a\"b'\n\t<"), "a&quot;b'&#10;&#9;&lt;");
    }
}
