//! For people: what is wrong first, each finding with its fix; what passed is a number.

use std::{fmt::Write, time::Duration};

use anstyle::Style;
use pg_schema::{Check, Report, Status};

use super::{Listed, Printed};
use crate::{
    escape::line,
    terminal::{BAD, DOUBTFUL, FAINT, GOOD, STRONG, Terminal},
    wrap::wrap,
};

/// A line of the list of checks: one check, or several that were skipped for one cause.
struct Row<'a> {
    name: String,
    check: &'a Check,
}

pub(super) fn screen(terminal: Terminal, printed: &Printed<'_>) -> String {
    let mut text = String::new();
    // Painted after it was wrapped: paint has no width.
    let place = printed.place();
    let heading = wrap(&format!("{place} on {}", line(&printed.server())), terminal.width(), 2);
    let _ = writeln!(
        text,
        "{}",
        match heading.strip_prefix(&place) {
            Some(rest) => terminal.paint(STRONG, &place) + rest,
            None => heading,
        }
    );
    let rows = rows(terminal, printed.report);
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for row in &rows {
        write_row(&mut text, terminal, row, width);
    }
    text.push_str(&verdict(terminal, printed));
    if !terminal.is_quiet() {
        for hint in hints(printed) {
            let _ = write!(text, "\n{}", terminal.paint(FAINT, &hint));
        }
    }
    text
}

/// Failures, warnings, then what was skipped; with `-v` what passed too.
fn rows<'a>(terminal: Terminal, report: &'a Report) -> Vec<Row<'a>> {
    let of = |status: Status| report.checks.iter().filter(move |check| check.status == status);
    let alone = |check: &'a Check| Row { name: check.id.to_owned(), check };
    let mut rows: Vec<_> = of(Status::Fail).chain(of(Status::Warn)).map(alone).collect();
    if terminal.is_verbose() {
        rows.extend(of(Status::Skip).chain(of(Status::Pass)).map(alone));
    } else if !terminal.is_quiet() {
        let mut skipped: Vec<Vec<&Check>> = Vec::new();
        for check in of(Status::Skip) {
            match skipped.iter_mut().find(|same| same[0].message == check.message) {
                Some(same) => same.push(check),
                None => skipped.push(vec![check]),
            }
        }
        rows.extend(skipped.into_iter().map(|same| match same.len() {
            1 => alone(same[0]),
            count => Row { name: format!("{count} checks"), check: same[0] },
        }));
    }
    rows
}

fn write_row(text: &mut String, terminal: Terminal, Row { name, check }: &Row<'_>, width: usize) {
    let (word, style): (&str, Style) = match check.status {
        Status::Pass => ("ok", GOOD),
        Status::Fail => ("FAIL", BAD),
        Status::Warn => ("warn", DOUBTFUL),
        Status::Skip => ("skip", FAINT),
    };
    // Padding is counted in letters; the paint would throw it off.
    let word = terminal.paint(style, &format!("{word:<4}"));
    // It begins behind the columns.
    let column = width + 10;
    let message = wrap(&format!("{:column$}{}", "", line(&check.message)), terminal.width(), column);
    let _ = writeln!(text, "  {word}  {name:<width$}  {}", message.trim_start());
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
        let _ = writeln!(text, "        … and {} more (--sql FILE writes all)", listed.more_statements);
    }
}

fn verdict(terminal: Terminal, printed: &Printed<'_>) -> String {
    let style = if printed.report.is_clean() { GOOD } else { BAD };
    // Painted after it was wrapped, as the heading is.
    let line = |rest: &str| {
        let wrapped = wrap(&format!("{}: {rest}", printed.verdict()), terminal.width(), 2);
        let rest = wrapped.strip_prefix(printed.verdict()).unwrap_or(&wrapped);
        terminal.paint(style, printed.verdict()) + rest
    };
    let (counts, elapsed) = (printed.counts(), printed.elapsed);
    if printed.steps.is_empty() {
        return line(&format!("{counts} in {} ms", elapsed.as_millis()));
    }
    let steps: Vec<_> = printed
        .steps
        .iter()
        .filter(|(_, time)| *time >= Duration::from_millis(50))
        .map(|(name, time)| format!("{name} {:.1}", time.as_secs_f64()))
        .collect();
    let steps = if steps.is_empty() { String::new() } else { format!(" ({})", steps.join(", ")) };
    line(&format!("{counts}; set up in {:.1} s{steps}", elapsed.as_secs_f64()))
}

/// Commands to run next, one a line.
fn hints(printed: &Printed<'_>) -> Vec<String> {
    let report = printed.report;
    let found = [Status::Fail, Status::Warn]
        .into_iter()
        .find_map(|status| report.checks.iter().find(|check| check.status == status));
    let fix = report.has_safe_fix().then(|| "cargo xtask db-verify --fix  # runs the SQL marked fix:".to_owned());
    let explain = found.map(|check| format!("cargo xtask db-verify --explain {}", check.id));
    let help = fix.into_iter().chain(explain).map(|command| format!("help: {command}"));
    let next = printed.next.filter(|_| report.is_clean()).map(|command| format!("next: {command}"));
    help.chain(next).collect()
}
