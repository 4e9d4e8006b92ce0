//! What is wrong with the end of a command.

use std::{any::Any, fmt::Write as _};

use regex::Regex;

use crate::{
    fault::{Act, Condition},
    plan::{Command, Fault},
    scene::Ended,
};

/// What came of a case.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// Whether the fault happened: a command may end before it.
    pub(crate) is_tried: bool,
    /// How the command ended, and its last lines.
    pub(crate) end: String,
    /// What is wrong: its kind, and what was seen.
    pub(crate) faults: Vec<(&'static str, String)>,
}

impl Verdict {
    pub(crate) fn not_tried() -> Self {
        Self { is_tried: false, end: String::new(), faults: Vec::new() }
    }

    pub(crate) fn survived() -> Self {
        Self { is_tried: true, ..Self::not_tried() }
    }

    /// The harness itself failed.
    pub(crate) fn of_harness(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let faults = vec![("the harness failed", text.unwrap_or_default())];
        Self { is_tried: true, end: String::new(), faults }
    }

    pub(crate) fn add(&mut self, kind: &'static str, seen: &str) {
        self.faults.push((kind, seen.to_owned()));
    }

    /// For people.
    pub(crate) fn text(&self, id: &str) -> String {
        let mut text = format!("{id}: {}", self.end.replace('\n', "\n    "));
        for (kind, seen) in &self.faults {
            let _ = write!(text, "\n  {kind}: {}", seen.replace('\n', "\n    "));
        }
        text
    }
}

/// Judges exit code and message of a command that met a fault.
pub(crate) fn judge_end(ended: &Ended, command: &Command, fault: &Fault) -> Verdict {
    let was_signalled = matches!(fault.act, Act::Signal(..));
    let mut verdict = match (ended.code, ended.signal) {
        // As shells have it.
        (None, Some(_)) | (Some(129 | 130 | 143), _) if was_signalled && !ended.is_stuck => {
            Verdict { end: last_lines(ended), ..Verdict::survived() }
        }
        // Migrations may take for ever, also over a connection that says nothing: a person ends them.
        (Some(130), _) if ended.is_stuck && fault.act == Act::Stall && is_migrating(&ended.stderr) => {
            Verdict { end: last_lines(ended), ..Verdict::survived() }
        }
        // A login that was changed on its way is refused by the server, as one with a wrong password is.
        (Some(3), _) if fault.act == Act::Garble && ended.stdout.contains("(28P01)") => {
            Verdict { end: last_lines(ended), ..Verdict::survived() }
        }
        // A server that cannot be written to is a finding, and so is what cannot be fixed at the moment.
        (Some(3), _) if matches!(fault.act, Act::Condition(Condition::ReadOnly | Condition::Standby)) => {
            Verdict { end: last_lines(ended), ..Verdict::survived() }
        }
        (Some(3), _) if command.start == "broken" && matches!(fault.act, Act::Condition(_)) => {
            Verdict { end: last_lines(ended), ..Verdict::survived() }
        }
        _ => judge_error(ended),
    };
    // A fix waits 2 s for a lock, and leaves what is locked for longer as a finding.
    let is_left = command.start == "broken" && ended.code == Some(3);
    if fault.is_harmless && ended.code != Some(0) && !is_left {
        verdict.add("failed though nothing was lost", "");
    }
    verdict
}

/// Whether the migrate command had begun, and had not ended.
fn is_migrating(stderr: &str) -> bool {
    stderr.contains("migrating: ") && !stderr.contains("\nnew: ")
}

/// Success, or an error that says what was tried and what to do next.
pub(crate) fn judge_error(ended: &Ended) -> Verdict {
    let mut verdict = Verdict { end: last_lines(ended), ..Verdict::survived() };
    if ended.is_stuck {
        verdict.add("no end", "killed after it took too long");
        return verdict;
    }
    match ended.code {
        Some(0) => {}
        Some(1 | 4) => judge_message(&mut verdict, &ended.stderr),
        Some(3) => verdict.add("a finding in place of an error", ""),
        _ => verdict.add("crash", ""),
    }
    if ended.stderr.contains("panicked at") {
        verdict.add("crash", "a panic");
    }
    verdict
}

/// How a command ended, and its last words.
pub(crate) fn last_lines(ended: &Ended) -> String {
    let code = ended
        .code
        .map_or_else(|| format!("signal {}", ended.signal.unwrap_or_default()), |code| format!("exit {code}"));
    // Findings are a result, and stand on stdout.
    let findings = ended.stdout.lines().filter(|line| ended.code == Some(3) && line.trim_start().starts_with("FAIL"));
    let lines: Vec<_> = ended.stderr.lines().chain(findings).filter(|line| !line.is_empty()).collect();
    format!("{code}: {}", lines[lines.len().saturating_sub(5)..].join("\n"))
}

/// An error says what was tried, and what to do next.
fn judge_message(verdict: &mut Verdict, stderr: &str) {
    let Some(at) = stderr.rfind("error: ") else {
        verdict.add("no error message", "");
        return;
    };
    let error = &stderr[at..];
    let first = error.lines().next().unwrap_or_default();
    let bare = Regex::new(
        r"^error: (connection closed|unexpected message from server|error communicating with the server[^\[]*|db error)$",
    );
    if bare.unwrap().is_match(first) {
        verdict.add("bare message", first);
    } else if !(error.contains("help:") || Regex::new(r"\[[^\]]{8,}\]").unwrap().is_match(error)) {
        verdict.add("no next step", first);
    }
}
