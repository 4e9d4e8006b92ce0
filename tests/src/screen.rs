//! Screens: what a run printed, compared with a file that is reviewed like code.
//!
//! The files are in `tests/screens`, in the folder of the test's source file. After a message was reworded, one command
//! writes them again:
//!
//! ```console
//! $ SNAPSHOTS=overwrite cargo nextest run -p tests
//! ```

use std::{panic::Location, path::Path, sync::LazyLock};

use serde_json::Value;
use snapbox::{Assert, Data, Redactions, assert::DEFAULT_ACTION_ENV, data::DataFormat};

use crate::{Run, binaries::programs, rung::Rung};

/// The screens are those of this major version. Servers word some messages differently in each version; there the
/// exit codes, the ids of the findings and the state of the database are compared.
const MAJOR: u32 = 18;

impl Run {
    /// The run, whose whole screen must be the one of this name: the exit code, stderr, stdout. Of a JSON report the
    /// findings are shown, a line each.
    ///
    /// ```no_run
    /// # let workspace = tests::Workspace::new();
    /// workspace.run(&["db-url", "--role", "nobody"]).exits(1).shows("unknown-role");
    /// ```
    #[track_caller]
    pub fn shows(self, name: &str) -> Self {
        compare(name, &self.screen(), Location::caller());
        self
    }

    /// The text of the screen, to show several runs in one file.
    pub fn screen(&self) -> String {
        let stdout = match serde_json::from_str(&self.stdout) {
            Ok(report @ Value::Object(_)) => findings(&report),
            _ => self.stdout.clone(),
        };
        let stdout = folded(&stdout);
        // A run on a busy machine says that it waits, when some seconds are over.
        let is_timely =
            |line: &&str| !["waiting up to ", "waiting for a lock of "].iter().any(|words| line.starts_with(words));
        let whole = self.whole_lines();
        let stderr = whole.lines().filter(is_timely);
        let stderr = stderr.collect::<Vec<_>>().join("\n");
        let streams = [("stderr", &stderr), ("stdout", &stdout)];
        let streams = streams.iter().filter(|(_, text)| !text.is_empty());
        let streams: String = streams.map(|(stream, text)| format!("--- {stream}\n{}\n", text.trim_end())).collect();
        format!("$ {}\n{streams}--- exit code {}\n", self.command, self.code)
    }
}

impl Run {
    /// stderr, of which errors and warnings are not wrapped: where a line ends depends on the length of a path. They must
    /// have their shape: a sentence, below it what led to it, at the end what to do. No line is longer than 100 letters
    /// but for SQL, a command, and the quoted words of others.
    pub fn whole_lines(&self) -> String {
        const BELOW: [&str; 6] = ["cause:", "detail:", "hint:", "note:", "statement:", "help:"];
        let mut whole: Vec<String> = Vec::new();
        let (mut is_message, mut is_help) = (false, false);
        for line in self.stderr.lines() {
            let words = line.trim_start();
            let is_first = ["error: ", "warning: "].iter().any(|label| line.starts_with(label));
            is_message = is_first || is_message && line.starts_with("  ");
            is_help &= is_message && !is_first;
            if !is_message {
                whole.push(line.to_owned());
                continue;
            }
            let is_sql = words.starts_with("statement:") || words.starts_with("--") || words.ends_with(';');
            // A path, or a command.
            let unlabelled = words.split_once(": ").map_or(words, |(_, words)| words);
            let is_listed = line.len() - words.len() == 6;
            let is_one_word =
                is_listed || !unlabelled.contains(' ') || words.starts_with("cargo ") || words.starts_with("rm ");
            // Wrong usage is clap's to tell.
            let is_others = self.code == 2 || words.starts_with('|');
            let is_short = line.chars().count() <= 100 || is_sql || is_one_word || is_others;
            assert!(is_short, "{}: more than 100 letters: {line}", self.command);
            assert!(
                self.code == 2 || !line.ends_with(']') || !line.contains(" ["),
                "{}: help in brackets: {line}",
                self.command
            );
            let label = BELOW.iter().find(|label| line.starts_with("  ") && line[2..].starts_with(**label));
            assert!(
                !is_help || label.is_none_or(|label| *label == "help:"),
                "{}: help is not last: {line}",
                self.command
            );
            is_help |= label == Some(&"help:");
            match whole.last_mut() {
                Some(last) if line.len() - words.len() >= 7 && !words.starts_with('|') => *last += &format!(" {words}"),
                _ => whole.push(line.to_owned()),
            }
        }
        whole.join("\n")
    }
}

/// Any text that must be the one in the file of this name: a finding's message, a table.
#[track_caller]
pub fn shows(name: &str, text: &str) {
    compare(name, &format!("{}\n", text.trim_end()), Location::caller());
}

fn compare(name: &str, text: &str, caller: &Location<'_>) {
    if matches!(Rung::named(), Rung::Container(_)) || programs().version.major != MAJOR {
        return;
    }
    // `tests/tests/setup/failures.rs`, from the workspace's root.
    let source = Path::new(caller.file()).with_extension("");
    let source = source.iter().skip_while(|part| *part != "tests").skip(2);
    let directory = source.fold(Path::new(env!("CARGO_MANIFEST_DIR")).join("screens"), |path, part| path.join(part));
    let expected = Data::read_from(&directory.join(name).with_extension("txt"), Some(DataFormat::Text));
    // A backslash in a text is one: snapbox would write a slash.
    let assert = Assert::new().action_env(DEFAULT_ACTION_ENV).normalize_paths(false);
    assert.redact_with(REDACTIONS.clone()).eq(text, expected);
}

/// The text with the checks that passed in one line.
fn folded(text: &str) -> String {
    let is_passed = |line: &&str| line.starts_with("  ok    ");
    let count = text.lines().filter(is_passed).count();
    let mut lines: Vec<_> = text.lines().collect();
    let first = lines.iter().position(&is_passed);
    lines.retain(|line| !is_passed(line));
    let passed = format!("  ok    [{count} checks]");
    if let Some(first) = first {
        lines.insert(first, &passed);
    }
    lines.join("\n")
}

/// The findings of a report and the SQL that fixes them.
fn findings(report: &Value) -> String {
    let mut lines = String::new();
    let checks: Vec<_> = report["checks"].as_array().into_iter().flatten().collect();
    // Checks that say the same share a line: those that are skipped, say.
    for same in checks.chunk_by(|one, other| (&one["status"], &one["message"]) == (&other["status"], &other["message"]))
    {
        let check = same[0];
        let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
        if text("status") == "pass" {
            continue;
        }
        let ids: Vec<_> = same.iter().filter_map(|check| check["id"].as_str()).collect();
        lines += &format!("{} {}: {}\n", text("status"), ids.join(", "), text("message"));
        for fix in check["fixes"].as_array().into_iter().flatten() {
            let by = fix["as"].as_str().map(|role| format!(" -- as {role}")).unwrap_or_default();
            lines += &format!("    {}{by}\n", fix["sql"].as_str().unwrap_or_default());
        }
    }
    format!("{lines}{}\n", report["summary"])
}

/// What differs from run to run and from machine to machine. snapbox applies the longest pattern first.
static REDACTIONS: LazyLock<Redactions> = LazyLock::new(|| {
    let mut redactions = Redactions::new();
    for (placeholder, pattern) in [
        // The tests' own programs, wherever cargo put them.
        ("[PROGRAMS]", r"(?<redacted>/[^\s':;,]*)/(?:twin-|test-process|pg-container)"),
        // Containers: aura-4711-0-workspace-0123456789ab, aura-ephemeral-0123456789ab.
        ("[NAME]", r"\baura-(?<redacted>(?:\d+-\d+-workspace|ephemeral)-[0-9a-f]{8,})"),
        ("[TAG]", r"\baura-tests/(?:postgres|empty):(?<redacted>\d+)\b"),
        // What an engine answers differs between its versions.
        ("[ANSWER]", r"(?m)Docker responded with (?<redacted>.*)$"),
        ("[ANSWER]", r"(?m)was not pulled: (?<redacted>.*)$"),
        ("[ADDRESS]", r"(?<redacted>\b10\.1\d\d\.\d+\.1(?::\d{4,5})?)\b"),
        ("[ENGINE]", r"\bby (?<redacted>(?:Docker|Podman)[^ ]* \S+ at \S+(?: \((?:its usual place|DOCKER_HOST)\))?)"),
        ("[ENGINE]", r"\(aura-\S+, (?<redacted>(?:unix|tcp)://[^)]+)\)"),
        ("[BIN_DIR]", r"(?:installed binaries in|initialising a cluster of .* with) (?<redacted>/\S*/bin)\b"),
        ("[DATE]", r"\bapplied on (?<redacted>\d{4}-\d\d-\d\d)\b"),
        ("[NUMBER]", r"\bpg_temp_(?<redacted>\d+)\b"),
        // In a URL.
        ("[DIR]", r"(?<redacted>%2F[^\s&]*aura-tests-[a-z]+%2F\d+-\d+-[a-z]+)"),
        ("[DIR]", r"(?<redacted>/[^\s':;,]*aura-tests-[a-z]+/\d+-\d+-[a-z]+)"),
        (
            "[PORT]",
            r"(?:127\.0\.0\.\d:|localhost:|\[::1\]:|port(?:=|:? +)|PGPORT=)(?<redacted>\d{4,5}(?:, \d{4,5})*)\b",
        ),
        // `TESTS_SERVER=local:18` sets it; a run on the installed binaries does not.
        ("[BIN_DIR]", r"PG_BIN_DIR:? +(?<redacted>\S+ +\(.*\))"),
        ("[VERSION]", r"PostgreSQL (?<redacted>\d+(?:\.\d+)*(?: \([^)]*\))?)"),
        ("[TIME]", r"\bin (?<redacted>\d+(?:\.\d+)? m?s(?: \((?:(?:server|migrations|checks) \d+\.\d(?:, )?)+\))?)"),
        ("[PID]", r"(?:\b(?:process|session|pid|PID) |\bthread '[^']*' \(|_backend\()(?<redacted>\d+)"),
        // Where a program of the tests panics.
        ("[LINE]", r"\.rs:(?<redacted>\d+:\d+)"),
        ("[CLONE]", r"aura_db_(?:template|building|ready|test|used)_(?<redacted>[0-9a-f]{12}(?:_[0-9a-f]{8}_\d+)?)"),
        ("[TIMESTAMP]", r"(?<redacted>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?: UTC|Z|[+-]\d\d(?::?\d\d)?)?)"),
        // Each shell has its own words.
        ("[NOT_FOUND]", r"(?<redacted>\bsh: .*not found)"),
        ("[CLOCK]", r"\b(?<redacted>\d\d:\d\d:\d\d)\b"),
        ("[VERIFIER]", r"(?<redacted>SCRAM-SHA-256\$[^'\s]+)"),
        ("[DIGEST]", r"\b(?<redacted>[0-9a-f]{12,64})\b"),
    ] {
        let pattern = regex::Regex::new(pattern).unwrap();
        redactions.insert(placeholder, pattern).unwrap();
    }
    redactions
});
