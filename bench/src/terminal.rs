//! What the bench prints: progress on stderr, the table on stdout.

use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use clap::ColorChoice;
use pg_config::Environment;

/// A row that misses its limit, and an error.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const STRONG: Style = Style::new().bold();

#[derive(Clone, Copy)]
pub(crate) struct Terminal {
    is_quiet: bool,
    has_color: bool,
}

impl Terminal {
    pub(crate) fn new(is_quiet: bool, color: ColorChoice, environment: &Environment) -> Self {
        let is_plain = environment.process("NO_COLOR").is_some() || environment.process("TERM") == Some("dumb");
        let has_color = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => !is_plain && io::stdout().is_terminal(),
        };
        Self { is_quiet, has_color }
    }

    /// A step, on stderr. Where nothing reads it, nothing is lost.
    pub(crate) fn say(&self, line: &str) {
        if !self.is_quiet {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    /// The result, on stdout.
    pub(crate) fn print(&self, text: &str) {
        let _ = writeln!(io::stdout(), "{text}");
    }

    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.has_color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}
