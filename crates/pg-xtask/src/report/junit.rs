//! JUnit's XML, as Jenkins, GitLab and the actions of GitHub read it: one test case a check, or a test.
//! <https://github.com/testmoapp/junitxml> says what they have in common.

use std::{fmt::Write, time::Duration};

use pg_schema::{Check, Status};

use super::{Failure, Listed, Printed};
use crate::{
    escape::{self, xml, xml_attribute},
    outcome::Outcome,
};

/// Cases that belong together.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) properties: Vec<(&'static str, String)>,
    pub(crate) cases: Vec<Case>,
    pub(crate) elapsed: Duration,
}

/// A test, or a check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// A check has no time of its own: all are made of one reading of the catalog.
    pub(crate) elapsed: Option<Duration>,
    pub(crate) ending: CaseEnding,
}

/// How a case ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CaseEnding {
    Passed,
    /// Passed, and has said something.
    Said(String),
    Skipped(String),
    Failed(Account),
    /// It came to no verdict.
    Broken(Account),
}

/// What is told of a case that went wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// In a word.
    pub(crate) kind: String,
    /// In a line.
    pub(crate) message: String,
    /// In full.
    pub(crate) text: String,
}

impl Case {
    pub(crate) fn is_wrong(&self) -> bool {
        matches!(self.ending, CaseEnding::Failed(_) | CaseEnding::Broken(_))
    }
}

pub(super) fn document(printed: &Printed<'_>) -> String {
    let (report, expected) = (printed.report, printed.expected());
    let properties = vec![
        ("server", printed.target.describe()),
        ("version", printed.version().unwrap_or("unknown").to_owned()),
        ("database", expected.database.as_str().to_owned()),
        ("role", expected.role.as_str().to_owned()),
        ("schema", expected.schema.as_str().to_owned()),
    ];
    let cases = report
        .checks
        .iter()
        .map(|check| Case { name: check.id.to_owned(), elapsed: None, ending: ending(check) })
        .collect();
    let suite = Suite { name: printed.command.to_owned(), properties, cases, elapsed: printed.elapsed };
    in_full(printed.command, printed.elapsed, &[suite])
}

/// One test case for the whole run.
pub(super) fn error(failure: &Failure<'_>) -> String {
    in_full(failure.command, failure.elapsed, &[suite_of_error(failure)])
}

pub(super) fn suite_of_error(failure: &Failure<'_>) -> Suite {
    let kind = if failure.outcome == Outcome::NoServer { "no-server" } else { "error" };
    let message = failure.text.lines().next().unwrap_or_default().to_owned();
    let ending = CaseEnding::Broken(Account { kind: kind.to_owned(), message, text: escape::lines(failure.text) });
    let case = Case { name: failure.command.to_owned(), elapsed: None, ending };
    Suite { name: failure.command.to_owned(), properties: Vec::new(), cases: vec![case], elapsed: failure.elapsed }
}

/// The document of these suites.
pub(super) fn in_full(name: &str, elapsed: Duration, suites: &[Suite]) -> String {
    let mut document = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = attributes(name, elapsed, suites.iter().flat_map(|suite| &suite.cases));
    let _ = writeln!(document, "<testsuites {all}>");
    for Suite { name, properties, cases, elapsed } in suites {
        let _ = writeln!(document, "  <testsuite {}>", attributes(name, *elapsed, cases));
        if !properties.is_empty() {
            document.push_str("    <properties>\n");
            for (name, value) in properties {
                let _ = writeln!(document, "      <property name=\"{name}\" value=\"{}\"/>", xml_attribute(value));
            }
            document.push_str("    </properties>\n");
        }
        for case in cases {
            let time = case.elapsed.map_or_else(String::new, |time| format!(" time=\"{:.3}\"", time.as_secs_f64()));
            let start =
                format!("<testcase classname=\"{}\" name=\"{}\"{time}", xml_attribute(name), xml_attribute(&case.name));
            let _ = match content(&case.ending).as_str() {
                "" => writeln!(document, "    {start}/>"),
                content => writeln!(document, "    {start}>{content}</testcase>"),
            };
        }
        document.push_str("  </testsuite>\n");
    }
    document + "</testsuites>\n"
}

/// The name, the counts and the time of these cases.
fn attributes<'a>(name: &str, elapsed: Duration, cases: impl IntoIterator<Item = &'a Case>) -> String {
    let [mut tests, mut failures, mut errors, mut skipped] = [0; 4];
    for case in cases {
        tests += 1;
        match case.ending {
            CaseEnding::Passed | CaseEnding::Said(_) => {}
            CaseEnding::Failed(_) => failures += 1,
            CaseEnding::Broken(_) => errors += 1,
            CaseEnding::Skipped(_) => skipped += 1,
        }
    }
    let (name, time) = (xml_attribute(name), elapsed.as_secs_f64());
    format!(
        "name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" \
         time=\"{time:.3}\""
    )
}

fn ending(check: &Check) -> CaseEnding {
    let text = Listed::of(check).under(&check.message);
    match check.status {
        Status::Pass => CaseEnding::Passed,
        Status::Fail => CaseEnding::Failed(Account { kind: check.id.to_owned(), message: check.message.clone(), text }),
        // JUnit has no warnings: the case passes, and has said something.
        Status::Warn => CaseEnding::Said(format!("warning: {text}")),
        Status::Skip => CaseEnding::Skipped(check.message.clone()),
    }
}

fn content(ending: &CaseEnding) -> String {
    match ending {
        CaseEnding::Passed => String::new(),
        CaseEnding::Said(text) => format!("<system-out>{}</system-out>", xml(text)),
        CaseEnding::Skipped(message) => format!("<skipped message=\"{}\"/>", xml_attribute(message)),
        CaseEnding::Failed(account) => told("failure", account),
        CaseEnding::Broken(account) => told("error", account),
    }
}

fn told(element: &str, Account { kind, message, text }: &Account) -> String {
    format!(
        "<{element} message=\"{}\" type=\"{}\">{}</{element}>",
        xml_attribute(message),
        xml_attribute(kind),
        xml(text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_counted_each_and_together() {
        let account = || Account { kind: "test".to_owned(), message: "a \"b\"".to_owned(), text: "<c>".to_owned() };
        let case = |ending| Case { name: "case".to_owned(), elapsed: None, ending };
        let suite = |name: &str, endings: Vec<CaseEnding>| Suite {
            name: name.to_owned(),
            properties: Vec::new(),
            cases: endings.into_iter().map(case).collect(),
            elapsed: Duration::from_millis(1500),
        };
        let mut suites = [
            suite("one", vec![CaseEnding::Passed, CaseEnding::Failed(account())]),
            suite("two", vec![CaseEnding::Skipped("why".to_owned()), CaseEnding::Broken(account())]),
        ];
        suites[0].cases[0].elapsed = Some(Duration::from_micros(1_234_500));
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="ci" tests="4" failures="1" errors="1" skipped="1" time="4.000">
  <testsuite name="one" tests="2" failures="1" errors="0" skipped="0" time="1.500">
    <testcase classname="one" name="case" time="1.234"/>
    <testcase classname="one" name="case"><failure message="a &quot;b&quot;" type="test">&lt;c&gt;</failure></testcase>
  </testsuite>
  <testsuite name="two" tests="2" failures="0" errors="1" skipped="1" time="1.500">
    <testcase classname="two" name="case"><skipped message="why"/></testcase>
    <testcase classname="two" name="case"><error message="a &quot;b&quot;" type="test">&lt;c&gt;</error></testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(in_full("ci", Duration::from_secs(4), &suites), expected);
    }
}
