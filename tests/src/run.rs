//! A finished run of the program.

use std::process::Output;

use serde_json::Value;

use crate::violation;

/// What a run of the program said, and how it ended.
pub struct Run {
    /// Its command line.
    pub command: String,
    /// Its exit code.
    pub code: i32,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
}

impl Run {
    /// What came of a command.
    pub fn of(command: String, output: Output) -> Self {
        Self {
            command,
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The run, which must have ended with this code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n--- stdout\n{}\n--- stderr\n{}", self.command, self.stdout, self.stderr);
        self
    }

    /// The run, whose stderr must hold this text: words of another program, as ours are held by [`Run::shows`]. Where a
    /// line ends is no matter.
    #[track_caller]
    pub fn complains(self, text: &str) -> Self {
        let in_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_there = in_one_line(&self.stderr).contains(&in_one_line(text));
        assert!(is_there, "{}: no {text:?} in\n{}", self.command, self.stderr);
        self
    }

    /// The line of stderr that holds this text; the migrate command's without what stands before it.
    #[track_caller]
    pub fn said(&self, text: &str) -> &str {
        let line = self.stderr.lines().find(|line| line.contains(text));
        let line = line.unwrap_or_else(|| panic!("{}: no {text:?} in\n{}", self.command, self.stderr));
        line.trim().trim_start_matches("| ")
    }

    /// The run, of which neither stream may hold this text: a password, say.
    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        for stream in [&self.stdout, &self.stderr] {
            assert!(!stream.contains(text), "{}: {text:?} in\n{stream}", self.command);
        }
        self
    }

    /// stdout without the last line's end.
    pub fn line(&self) -> &str {
        self.stdout.trim_end()
    }

    /// stdout as a report (`--format json`), which must be as its schema has it.
    #[track_caller]
    pub fn json(&self) -> Value {
        let report = serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout));
        if let Some(violation) = violation(&report) {
            panic!("{}: {violation}\n{}", self.command, self.stdout);
        }
        report
    }

    /// The check of an id in a JSON report.
    #[track_caller]
    pub fn check(&self, id: &str) -> Value {
        let report = self.json();
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check {id}")).clone()
    }

    /// The message of a check of a JSON report.
    #[track_caller]
    pub fn message(&self, id: &str) -> String {
        self.check(id)["message"].as_str().unwrap().to_owned()
    }

    /// The ids of the checks of a JSON report that have a status, in order.
    #[track_caller]
    pub fn with_status(&self, status: &str) -> Vec<String> {
        let report = self.json();
        let checks = report["checks"].as_array().unwrap();
        let with_status = checks.iter().filter(|check| check["status"] == status);
        with_status.map(|check| check["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The SQL that mends a check of a JSON report.
    #[track_caller]
    pub fn fix(&self, id: &str) -> String {
        let check = self.check(id);
        let statements: Vec<_> = check["fix"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        // Where there is any, the path comes first.
        assert!(statements.is_empty() || statements[0] == "SET search_path = pg_catalog, pg_temp;", "{check}");
        statements.iter().skip(1).copied().collect::<Vec<_>>().join("\n")
    }
}
