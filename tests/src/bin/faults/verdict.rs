//! What is wrong with the end of a command.

use std::{any::Any, fmt::Write as _};

use regex::Regex;

use crate::{
    fault::{Act, Whom},
    plan::Fault,
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
        let mut text = format!("{id}: {}", self.end);
        for (kind, seen) in &self.faults {
            let _ = write!(text, "\n  {kind}: {}", seen.replace('\n', "\n    "));
        }
        text
    }
}

/// Judges exit code and message.
pub(crate) fn judge_end(ended: &Ended, fault: &Fault) -> Verdict {
    let lines: Vec<_> = ended.stderr.lines().filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(4)..].join("\n    ");
    let code = match (ended.code, ended.signal) {
        (Some(code), _) => format!("exit {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    };
    let mut verdict = Verdict { is_tried: true, end: format!("{code}\n    {last}"), faults: Vec::new() };
    if ended.is_stuck {
        verdict.add("no end", "killed after 180 s");
        return verdict;
    }
    let was_signalled = matches!(fault.act, Act::Signal(..));
    match ended.code {
        Some(0) => {}
        _ if fault.is_harmless => verdict.add("failed though nothing was lost", &code),
        Some(1 | 4) => judge_message(&mut verdict, &ended.stderr),
        Some(3) => verdict.add("a finding in place of an error", ""),
        // As shells have it.
        Some(129 | 130 | 143) if was_signalled => {}
        None if was_signalled => {}
        _ => verdict.add("crash", &code),
    }
    if ended.stderr.contains("panicked at") {
        verdict.add("crash", "a panic");
    }
    // A terminal shows an interrupted command as that.
    if let (Act::Signal(signal, Whom::Tool), Some(0)) = (&fault.act, ended.code)
        && *signal == nix::sys::signal::Signal::SIGKILL
    {
        verdict.add("crash", "SIGKILL did not end it");
    }
    verdict
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
