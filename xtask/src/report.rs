//! The verdict on stdout: for people, or as one JSON document.

mod json;
mod text;

use std::time::{Duration, Instant};

use pg_schema::{Expected, Facts, Report, Verdict};

use crate::{cli::Format, context::Context, outcome::Outcome, server::Target};

/// A report and what it is about.
struct Printed<'a> {
    report: &'a Report,
    facts: Option<&'a Facts>,
    target: &'a Target,
    elapsed: Duration,
}

impl Printed<'_> {
    fn expected(&self) -> &Expected {
        &self.target.expected
    }

    /// `15.18`, where the server said so.
    fn version(&self) -> Option<&str> {
        self.facts.and_then(|facts| facts.version.split_whitespace().next())
    }
}

/// Prints the verdict as it was asked for, and gives the outcome that it stands for. `-q` leaves out what
/// is well.
pub(crate) fn conclude(
    context: &Context,
    target: &Target,
    format: Format,
    verdict: &Verdict,
    started: Instant,
) -> Outcome {
    let Verdict { report, facts } = verdict;
    let printed = Printed { report, facts: facts.as_ref(), target, elapsed: started.elapsed() };
    match format {
        Format::Json => context.terminal.print(&json::document(&printed)),
        Format::Text if context.terminal.is_quiet() && report.is_clean() => {}
        Format::Text => context.terminal.print(&text::screen(context.terminal, &printed)),
    }
    Outcome::of_report(report)
}
