//! What is said, and where: results on stdout, everything else on stderr. Nothing else prints. What others wrote is
//! made harmless before it is printed.

use std::{
    any::Any,
    io::{self, BufRead, IsTerminal, Write},
    os::fd::AsFd,
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
    escape, live,
    wrap::{wrap, wrap_message},
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
    /// Of stderr.
    width_of_stderr: Option<usize>,
    /// Whether the last line of stderr can be drawn again.
    is_live: bool,
}

impl Terminal {
    /// Without a terminal.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self {
        quiet: false,
        verbose: false,
        color_on_stdout: false,
        color_on_stderr: false,
        width: None,
        width_of_stderr: None,
        is_live: false,
    };

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
            width: width(io::stdout()),
            width_of_stderr: width(io::stderr()),
            is_live: io::stderr().is_terminal() && !output.quiet && environment.process("TERM") != Some("dumb"),
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

    /// A step, on stderr; behind a carriage return, how far it is.
    pub(crate) fn say(&self, line: &str) {
        if let Some(progress) = line.strip_prefix('\r') {
            return match self.is_live {
                true => live::progress(escape::line(progress)),
                false if live::is_due() => self.say(progress),
                false => {}
            };
        }
        live::restart();
        if !self.quiet {
            let lines = escape::lines(line);
            let wrapped = lines.lines().map(|line| wrap(line, self.width_of_stderr, 2)).collect::<Vec<_>>();
            to_stderr(&paint(self.color_on_stderr, FAINT, &wrapped.join("\n")));
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
        to_stderr(&message(self.color_on_stderr, DOUBTFUL, "warning:", line));
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

    fn progress(&self) -> Box<dyn Any> {
        if self.is_live { Box::new(live::Step::begin()) } else { Box::new(()) }
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
    to_stderr(&message(io::stderr().is_terminal(), BAD, "error:", &pg_workflow::whole(error)));
}

/// An error or a warning at the width of stderr, its labels painted.
fn message(is_painted: bool, style: Style, label: &str, text: &str) -> String {
    let wrapped = wrap_message(label, &escape::lines(text), width(io::stderr()));
    let mut lines = wrapped.split('\n');
    let first = lines.next().unwrap_or_default();
    let first = paint(is_painted, style, label) + first.strip_prefix(label).unwrap_or(first);
    let painted = |line: &str| match line.trim_start().split_once(": ") {
        Some((word @ ("cause" | "note" | "help"), rest)) => {
            let indent = &line[..line.len() - line.trim_start().len()];
            format!("{indent}{} {rest}", paint(is_painted, STRONG, &format!("{word}:")))
        }
        _ => line.to_owned(),
    };
    [first].into_iter().chain(lines.map(painted)).collect::<Vec<_>>().join("\n")
}

/// How many letters a line has, of a terminal.
fn width(stream: impl AsFd) -> Option<usize> {
    terminal_size::terminal_size_of(stream).map(|(width, _)| width.0.into()).filter(|width| *width > 0)
}

/// A line on stderr, as it is. Where stderr is closed, the line is lost.
pub(crate) fn to_stderr(line: &str) {
    let _ = live::above(|| writeln!(io::stderr().lock(), "{line}"));
}

/// Why a result could not be written, where one could not: the process has one stdout.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// A line on stdout, as it is. What cannot be written makes the command fail ([`check_results`]), but where a reader
/// closed the pipe: it has seen enough.
pub(crate) fn to_stdout(line: &str) {
    match live::above(|| writeln!(io::stdout().lock(), "{line}")) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => _ = UNWRITTEN.set(error),
        _ => {}
    }
}

/// Fails where a result could not be written.
pub(crate) fn check_results() -> anyhow::Result<()> {
    match UNWRITTEN.get() {
        Some(error) => Err(anyhow::anyhow!("cannot write the result to stdout\n  cause: {error}")),
        None => Ok(()),
    }
}

fn paint(is_on: bool, style: Style, text: &str) -> String {
    if is_on { format!("{style}{text}{style:#}") } else { text.to_owned() }
}
