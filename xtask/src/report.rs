//! The verdict on stdout: for people, or as one JSON document.

mod json;
mod text;

use std::time::Duration;

use pg_schema::{Expected, Facts, Report};

use crate::{cli::Format, context::Context, server::Target};

/// A report and what it is about.
pub(crate) struct Printed<'a> {
    pub(crate) report: &'a Report,
    pub(crate) facts: Option<&'a Facts>,
    pub(crate) target: &'a Target,
    pub(crate) elapsed: Duration,
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

/// Prints a report as it was asked for. `-q` leaves out what is well.
pub(crate) fn print(context: &Context, format: Format, printed: &Printed<'_>) {
    match format {
        Format::Json => context.terminal.print(&json::document(printed)),
        Format::Text if context.terminal.is_quiet() && printed.report.is_clean() => {}
        Format::Text => context.terminal.print(&text::screen(context.terminal, printed)),
    }
}
