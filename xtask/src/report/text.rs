//! For people: one screen when all is well, the fix under each finding.

use std::fmt::Write;

use anstyle::Style;
use pg_schema::{Check, Status};

use super::Printed;
use crate::terminal::{BAD, DOUBTFUL, FAINT, GOOD, STRONG, Terminal};

/// How many objects of one finding are listed.
const MOST_OBJECTS: usize = 10;
/// How many statements of one fix are listed.
const MOST_STATEMENTS: usize = 20;
/// For those who meet a check's id and know nothing of it yet.
const EXPLAIN: &str = "cargo xtask db-verify --explain ID says more of a check";

pub(super) fn screen(terminal: Terminal, printed: &Printed<'_>) -> String {
    let expected = printed.expected();
    let mut text = String::new();
    let version = printed.version().map(|version| format!("PostgreSQL {version}, ")).unwrap_or_default();
    let _ = writeln!(
        text,
        "{} on {version}{}",
        terminal.paint(STRONG, &format!("database {}, schema {}", expected.database, expected.schema)),
        printed.target.describe()
    );
    let width = printed.report.checks.iter().map(|check| check.id.len()).max().unwrap_or(0);
    let is_said = |check: &&Check| !terminal.is_quiet() || matches!(check.status, Status::Fail | Status::Warn);
    for check in printed.report.checks.iter().filter(is_said) {
        write_check(&mut text, terminal, check, width);
    }
    text.push_str(&verdict(terminal, printed));
    let is_wrong = |check: &Check| matches!(check.status, Status::Fail | Status::Warn);
    if !terminal.is_quiet() && printed.report.checks.iter().any(is_wrong) {
        let _ = write!(text, "\n{}", terminal.paint(FAINT, EXPLAIN));
    }
    text
}

fn write_check(text: &mut String, terminal: Terminal, check: &Check, width: usize) {
    let (word, style): (&str, Style) = match check.status {
        Status::Pass => ("ok", GOOD),
        Status::Fail => ("FAIL", BAD),
        Status::Warn => ("warn", DOUBTFUL),
        Status::Skip => ("skip", FAINT),
    };
    // Padding is counted in letters; the paint would throw it off.
    let word = terminal.paint(style, &format!("{word:<4}"));
    let _ = writeln!(text, "  {word}  {:<width$}  {}", check.id, check.message);
    if check.objects.len() > 1 {
        for object in check.objects.iter().take(MOST_OBJECTS) {
            let owner = object.owner.as_ref().map(|owner| format!(", owner {owner}")).unwrap_or_default();
            let _ = writeln!(text, "          {} {}{owner}", object.kind.as_str(), object.qualified());
        }
        if check.objects.len() > MOST_OBJECTS {
            let _ =
                writeln!(text, "          … and {} more (--format json lists all)", check.objects.len() - MOST_OBJECTS);
        }
    }
    for statement in check.fix.iter().take(MOST_STATEMENTS) {
        let _ = writeln!(text, "        {} {statement};", terminal.paint(FAINT, "mend:"));
    }
    if check.fix.len() > MOST_STATEMENTS {
        let _ = writeln!(text, "        … and {} more (--format json lists all)", check.fix.len() - MOST_STATEMENTS);
    }
}

fn verdict(terminal: Terminal, printed: &Printed<'_>) -> String {
    let report = printed.report;
    let (failed, warned, skipped) =
        (report.count(Status::Fail), report.count(Status::Warn), report.count(Status::Skip));
    let mut parts = vec![format!("{} of {} checks passed", report.count(Status::Pass), report.checks.len())];
    for (count, word) in [(failed, "failed"), (warned, "warned"), (skipped, "skipped")] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let word = if failed == 0 { terminal.paint(GOOD, "verified") } else { terminal.paint(BAD, "not verified") };
    format!("{word}: {} in {} ms", parts.join(", "), printed.elapsed.as_millis())
}
