//! The verdict: on stdout, for people or as one JSON document, and wherever else `--report` sends it.

pub(crate) mod file;
mod github;
mod json;
mod junit;
mod listed;
mod markdown;
#[cfg(test)]
mod tests;
mod text;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::anyhow;
use pg_config::{EnvFile, Environment, Project};
use pg_schema::{Expected, Facts, Report, Status, Verdict};
use pg_workflow::Target;

pub(crate) use self::file::write as write_file;
pub(crate) use self::junit::{Account, Case, CaseEnding, Suite};
use self::listed::Listed;
use crate::{
    cli::{Destination, Format, Kind, Reports},
    invocation::Invocation,
    outcome::Outcome,
    terminal,
};

/// How a command that ends in a verdict accounts for it.
pub(crate) struct Reporting {
    /// As it is typed: `db-verify`.
    command: &'static str,
    format: Format,
    /// Those that can be written.
    destinations: Vec<Destination>,
    /// Where a step of a GitHub workflow puts its summary.
    step_summary: Option<PathBuf>,
    started: Instant,
}

/// How a run ended.
#[derive(Clone, Copy)]
enum Ending<'a> {
    Verdict(Printed<'a>),
    Error(Failure<'a>),
}

/// A report and what it is about.
#[derive(Clone, Copy)]
struct Printed<'a> {
    command: &'static str,
    report: &'a Report,
    facts: Option<&'a Facts>,
    target: &'a Target,
    elapsed: Duration,
    /// Of a setup, how long its steps took.
    steps: &'a [(&'static str, Duration)],
    /// What to run next, where all is well.
    next: Option<&'static str>,
}

/// An error before there was a verdict.
#[derive(Clone, Copy)]
struct Failure<'a> {
    command: &'static str,
    outcome: Outcome,
    /// All that stderr says of it.
    text: &'a str,
    elapsed: Duration,
}

/// Runs a command that ends in a verdict. What an earlier run has reported is gone before this one begins; if it
/// ends in an error, its reports say so.
pub(crate) fn accompany(
    project: &Project,
    command: &'static str,
    reports: Reports,
    run: impl FnOnce(&Reporting) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    let mut reporting = Reporting { format: reports.format, ..Reporting::as_text(command) };
    if reports.destinations.contains(&Destination::Github) {
        // Where the environment cannot be read, the command itself says so.
        let environment = Environment::read(project, &EnvFile::Ignored).ok();
        reporting.step_summary = environment.and_then(|found| found.process_os("GITHUB_STEP_SUMMARY").map(Into::into));
    }
    let outcome = reporting.open(reports.destinations).and_then(|()| run(&reporting));
    if let Err(error) = &outcome {
        let (text, elapsed) = (pg_workflow::whole(error), reporting.started.elapsed());
        reporting.deliver(Ending::Error(Failure { command, outcome: Outcome::of(error), text: &text, elapsed }));
    }
    outcome
}

/// Runs what yields suites of tests, and writes them to a JUnit file, where one is named. What an earlier run has
/// reported is gone before this one begins; if it ends in an error, that is a case beside those that it has come to.
pub(crate) fn accompany_tests(
    command: &'static str,
    junit: Option<&Path>,
    run: impl FnOnce(&mut Vec<Suite>) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    let mut suites = Vec::new();
    let Some(path) = junit else { return run(&mut suites) };
    file::clear(path).map_err(|error| nothing_was_done(&error))?;
    let started = Instant::now();
    let outcome = run(&mut suites);
    let elapsed = started.elapsed();
    if let Err(error) = &outcome {
        let text = pg_workflow::whole(error);
        suites.push(junit::suite_of_error(&Failure { command, outcome: Outcome::of(error), text: &text, elapsed }));
    }
    match file::write(path, &junit::in_full(command, elapsed, &suites)) {
        Ok(()) => outcome,
        Err(error) => {
            terminal::print_error(&error);
            outcome.and(Ok(Outcome::Error))
        }
    }
}

/// A report cannot be written.
fn nothing_was_done(error: &anyhow::Error) -> anyhow::Error {
    anyhow!(
        "{}\n  note: nothing was done\n  help: name a file in a directory that is there and that only you can write, not a link",
        pg_workflow::whole(error)
    )
}

impl Reporting {
    /// For people, on stdout alone.
    pub(crate) fn as_text(command: &'static str) -> Self {
        let (format, destinations) = (Format::Text, Vec::new());
        Self { command, format, destinations, step_summary: None, started: Instant::now() }
    }

    /// How long the command has run.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Clears every destination, and keeps those that can be written; the error is of the first that cannot.
    fn open(&mut self, destinations: Vec<Destination>) -> anyhow::Result<()> {
        let mut refused = None;
        for destination in destinations {
            let cleared = match (&destination, &self.step_summary) {
                (Destination::File(_, path), _) => file::clear(path),
                // Other steps write there too.
                (Destination::Github, Some(path)) => file::append(path, ""),
                (Destination::Github, None) => Ok(()),
            };
            match cleared {
                Ok(()) => self.destinations.push(destination),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        refused.map_or(Ok(()), |error| Err(nothing_was_done(&error)))
    }

    /// Prints the verdict as it was asked for, and gives the outcome that it stands for. `-q` leaves out what
    /// is well.
    pub(crate) fn conclude(&self, context: &Invocation, target: &Target, verdict: &Verdict) -> Outcome {
        self.conclude_steps(context, target, verdict, &[], None)
    }

    /// The same of a setup, with the time of each step, and with the command to run next where all is well.
    pub(crate) fn conclude_steps(
        &self,
        context: &Invocation,
        target: &Target,
        verdict: &Verdict,
        steps: &[(&'static str, Duration)],
        next: Option<&'static str>,
    ) -> Outcome {
        let Verdict { report, facts } = verdict;
        let elapsed = self.started.elapsed();
        let printed = Printed { command: self.command, report, facts: facts.as_ref(), target, elapsed, steps, next };
        match self.format {
            Format::Json => context.terminal.print(&json::document(&printed)),
            Format::Text if context.terminal.is_quiet() && report.is_clean() => {}
            Format::Text => context.terminal.print(&text::screen(context.terminal, &printed)),
        }
        if self.deliver(Ending::Verdict(printed)) { Outcome::of_report(report) } else { Outcome::Error }
    }

    /// Writes every report, and says whether all could be written. What cannot is said on stderr; the others stand.
    fn deliver(&self, ending: Ending<'_>) -> bool {
        let mut is_whole = true;
        for destination in &self.destinations {
            let written = match destination {
                Destination::File(kind, path) => match in_full(*kind, ending) {
                    Some(text) => file::write(path, &text),
                    None => Ok(()),
                },
                Destination::Github => self.tell_github(ending),
            };
            if let Err(error) = written {
                is_whole = false;
                terminal::print_error(&error);
            }
        }
        is_whole
    }

    /// Annotations for the runner, which reads stderr as well as stdout, and the summary of the step.
    fn tell_github(&self, ending: Ending<'_>) -> anyhow::Result<()> {
        let annotations = match ending {
            Ending::Verdict(printed) => github::annotations(&printed),
            Ending::Error(failure) => vec![github::error(&failure)],
        };
        for annotation in annotations {
            terminal::to_stderr(&annotation);
        }
        match (&self.step_summary, in_full(Kind::Markdown, ending)) {
            (Some(path), Some(text)) => file::append(path, &format!("\n{text}")),
            _ => Ok(()),
        }
    }
}

/// What a report file holds; nothing for JSON where there is no verdict: the schema has no document for an error.
fn in_full(kind: Kind, ending: Ending<'_>) -> Option<String> {
    match (kind, ending) {
        (Kind::Junit, Ending::Verdict(printed)) => Some(junit::document(&printed)),
        (Kind::Junit, Ending::Error(failure)) => Some(junit::error(&failure)),
        (Kind::Json, Ending::Verdict(printed)) => Some(json::document(&printed) + "\n"),
        (Kind::Json, Ending::Error(_)) => None,
        (Kind::Markdown, Ending::Verdict(printed)) => Some(markdown::document(&printed)),
        (Kind::Markdown, Ending::Error(failure)) => Some(markdown::error(&failure)),
    }
}

impl Printed<'_> {
    fn expected(&self) -> &Expected {
        &self.target.expected
    }

    /// `15.18`, where the server said so.
    fn version(&self) -> Option<&str> {
        self.facts.and_then(|facts| facts.version.split_whitespace().next())
    }

    /// `database aura_db, schema aura`.
    fn place(&self) -> String {
        format!("database {}, schema {}", self.expected().database, self.expected().schema)
    }

    /// `PostgreSQL 15.18, 127.0.0.1:5432 (why that one)`.
    fn server(&self) -> String {
        let version = self.version().map(|version| format!("PostgreSQL {version}, ")).unwrap_or_default();
        version + &self.target.describe()
    }

    fn verdict(&self) -> &'static str {
        if self.report.is_clean() { "verified" } else { "not verified" }
    }

    /// `17 of 18 checks passed, 1 failed`.
    fn counts(&self) -> String {
        let report = self.report;
        let mut parts = vec![format!("{} of {} checks passed", report.count(Status::Pass), report.checks.len())];
        for (status, word) in [(Status::Fail, "failed"), (Status::Warn, "warned"), (Status::Skip, "skipped")] {
            match report.count(status) {
                0 => {}
                count => parts.push(format!("{count} {word}")),
            }
        }
        parts.join(", ")
    }
}
