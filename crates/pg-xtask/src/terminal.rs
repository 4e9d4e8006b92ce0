//! What is said, and where: results on stdout, everything else on stderr. Nothing else prints. What others wrote is
//! made harmless before it is printed.

use std::{
    any::Any,
    io::{self, BufRead, IsTerminal, Write},
    sync::{
        OnceLock,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use pg_config::Environment;
use pg_workflow::Voice;

use crate::{
    cli::{Color, Output},
    escape,
};

/// Failure.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Success.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// A warning.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
/// What matters less.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// What matters most.
pub(crate) const STRONG: Style = Style::new().bold();

/// How much is said, and how it looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    quiet: bool,
    verbose: bool,
    color_on_stdout: bool,
    color_on_stderr: bool,
    /// Of stdout, where it is a terminal.
    width: Option<usize>,
}

impl Terminal {
    /// Without a terminal.
    #[cfg(test)]
    pub(crate) const PLAIN: Self =
        Self { quiet: false, verbose: false, color_on_stdout: false, color_on_stderr: false, width: None };

    pub(crate) fn new(output: Output, environment: &Environment) -> Self {
        let plain = environment.process("NO_COLOR").is_some() || environment.process("TERM") == Some("dumb");
        let color = |is_terminal: bool| match output.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !plain,
        };
        Self {
            quiet: output.quiet,
            verbose: output.verbose,
            color_on_stdout: color(io::stdout().is_terminal()),
            color_on_stderr: color(io::stderr().is_terminal()),
            width: terminal_size::terminal_size_of(io::stdout())
                .map(|(width, _)| width.0.into())
                .filter(|width| *width > 0),
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// How many letters a line of stdout has, where it is a terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// The same, of this width.
    #[cfg(test)]
    pub(crate) const fn of_width(self, width: usize) -> Self {
        Self { width: Some(width), ..self }
    }

    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// A step, on stderr.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            to_stderr(&paint(self.color_on_stderr, FAINT, &escape::lines(line)));
        }
    }

    /// A command to the runner of a GitHub workflow, made of our own words.
    pub(crate) fn command(&self, line: &str) {
        if !self.quiet {
            to_stderr(line);
        }
    }

    /// What `-v` shows, on stderr.
    pub(crate) fn detail(&self, line: &str) {
        if self.verbose {
            to_stderr(&paint(self.color_on_stderr, FAINT, &escape::lines(&format!("  {line}"))));
        }
    }

    /// A warning, on stderr whatever was asked for.
    pub(crate) fn warn(&self, line: &str) {
        to_stderr(&format!("{} {}", paint(self.color_on_stderr, DOUBTFUL, "warning:"), escape::lines(line)));
    }

    /// A result, on stdout, as it is: SQL, a document or a screen, whose makers have escaped what others wrote.
    pub(crate) fn print(&self, text: &str) {
        to_stdout(text);
    }

    /// A piece of a screen, painted where stdout shows colours.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        paint(self.color_on_stdout, style, &escape::lines(text))
    }

    /// Whether there is a person to ask.
    pub(crate) fn can_ask() -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks on a terminal; without one, no.
    pub(crate) fn confirm(&self, question: &str) -> bool {
        if !Self::can_ask() {
            return false;
        }
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "{} [y/N] ", escape::lines(question));
        let _ = stderr.flush();
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).is_ok()
            && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }
}

impl Voice for Terminal {
    fn say(&self, line: &str) {
        self.say(line);
    }

    fn detail(&self, line: &str) {
        self.detail(line);
    }

    fn warn(&self, line: &str) {
        self.warn(line);
    }

    fn shows_output(&self) -> bool {
        self.verbose
    }

    fn show(&self, line: &str) {
        to_stderr(&format!("  | {}", escape::line(line)));
    }

    fn confirm(&self, question: &str) -> bool {
        self.confirm(question)
    }

    fn patience(&self, line: String) -> Box<dyn Any> {
        let (done, is_done) = mpsc::channel::<()>();
        let terminal = *self;
        thread::spawn(move || {
            if is_done.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                terminal.say(&line);
            }
        });
        Box::new(done)
    }
}

/// An error and what led to it, on stderr.
pub(crate) fn print_error(error: &anyhow::Error) {
    let label = paint(io::stderr().is_terminal(), BAD, "error:");
    to_stderr(&format!("{label} {}", escape::lines(&whole(error))));
}

/// An error and what led to it, in words.
pub(crate) fn whole(error: &anyhow::Error) -> String {
    // A type of our own tells its whole story; a cause that its wrapper repeats is not told twice.
    let mut text = String::new();
    for cause in error.chain() {
        let line = cause.to_string();
        if !text.contains(&line) {
            text = if text.is_empty() { line } else { format!("{text}: {line}") };
        }
    }
    text
}

/// A line on stderr, as it is. Where stderr is closed, the line is lost.
pub(crate) fn to_stderr(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Why a result could not be written, where one could not: the process has one stdout.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// A line on stdout, as it is. What cannot be written makes the command fail ([`check_results`]), but where a reader
/// closed the pipe: it has seen enough.
pub(crate) fn to_stdout(line: &str) {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => _ = UNWRITTEN.set(error),
        _ => {}
    }
}

/// Fails where a result could not be written.
pub(crate) fn check_results() -> anyhow::Result<()> {
    match UNWRITTEN.get() {
        Some(error) => Err(anyhow::anyhow!("cannot write the result to stdout: {error}")),
        None => Ok(()),
    }
}

fn paint(is_on: bool, style: Style, text: &str) -> String {
    if is_on { format!("{style}{text}{style:#}") } else { text.to_owned() }
}
