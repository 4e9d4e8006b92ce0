//! For people: one screen when all is well, the fix under each finding.

use std::fmt::Write;

use anstyle::Style;
use pg_schema::{Check, Status};

use super::{Listed, Printed};
use crate::{
    escape::line,
    terminal::{BAD, DOUBTFUL, FAINT, GOOD, STRONG, Terminal},
};

/// For those who meet a check's id and know nothing of it yet.
const EXPLAIN: &str = "cargo xtask db-verify --explain ID says more";
/// For those who would rather not paste.
const FIX: &str = "cargo xtask db-verify --fix runs the SQL marked mend";

pub(super) fn screen(terminal: Terminal, printed: &Printed<'_>) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} on {}", terminal.paint(STRONG, &printed.place()), line(&printed.server()));
    let width = printed.report.checks.iter().map(|check| check.id.len()).max().unwrap_or(0);
    let is_said = |check: &&Check| !terminal.is_quiet() || matches!(check.status, Status::Fail | Status::Warn);
    for check in printed.report.checks.iter().filter(is_said) {
        write_check(&mut text, terminal, check, width);
    }
    text.push_str(&verdict(terminal, printed));
    let is_wrong = |check: &Check| matches!(check.status, Status::Fail | Status::Warn);
    if !terminal.is_quiet() && printed.report.checks.iter().any(is_wrong) {
        let hint = if printed.report.has_safe_fix() { format!("{FIX}; {EXPLAIN}") } else { EXPLAIN.to_owned() };
        let _ = write!(text, "\n{}", terminal.paint(FAINT, &hint));
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
    let _ = writeln!(text, "  {word}  {:<width$}  {}", check.id, line(&check.message));
    let listed = Listed::of(check);
    for object in &listed.objects {
        let _ = writeln!(text, "          {}", line(object));
    }
    if listed.more_objects > 0 {
        let _ = writeln!(text, "          … and {} more (--format json lists all)", listed.more_objects);
    }
    for statement in &listed.statements {
        let how = terminal.paint(FAINT, &format!("{}:", statement.how));
        let _ = writeln!(text, "        {how} {}", line(&statement.sql));
    }
    if listed.more_statements > 0 {
        let _ = writeln!(text, "        … and {} more (--format json lists all)", listed.more_statements);
    }
}

fn verdict(terminal: Terminal, printed: &Printed<'_>) -> String {
    let style = if printed.report.is_clean() { GOOD } else { BAD };
    let word = terminal.paint(style, printed.verdict());
    format!("{word}: {} in {} ms", printed.counts(), printed.elapsed.as_millis())
}
