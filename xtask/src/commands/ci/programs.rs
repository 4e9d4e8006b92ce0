//! The test programs of the workspace: what `cargo test --workspace` runs, one by one, with an account of each test.

use std::{
    io::{BufRead, BufReader},
    mem,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::Value;
use xshell::Cmd;

use super::{Commands, Shard, libtest};
use crate::{report::Suite, terminal};

/// A program, and those of its tests that are to be run.
#[derive(Debug)]
pub(super) struct Program {
    /// Where its source begins, from the workspace's root: `tests/tests/setup/main.rs`.
    pub(super) name: String,
    kind: Kind,
    tests: Vec<String>,
}

#[derive(Debug)]
enum Kind {
    /// What cargo has built, and the directory of its package.
    Built { executable: PathBuf, directory: PathBuf },
    /// The examples of the documentation, of all packages at once. Their names have blanks, at which rustdoc parts
    /// its arguments: none can be picked.
    Examples,
}

/// Builds the programs and asks each for its tests: those that have some of the shard's, in cargo's order.
pub(super) fn of_workspace(commands: &Commands<'_>) -> anyhow::Result<Vec<Program>> {
    let build = "test --workspace --locked --no-run --message-format json-render-diagnostics";
    let mut programs = built(&commands.cargo(build).read()?, commands.root);
    for program in &mut programs {
        program.list(commands)?;
    }
    part(&mut programs, commands.shard);
    if commands.shard.is_first() {
        let name = "examples of the documentation".to_owned();
        let mut examples = Program { name, kind: Kind::Examples, tests: Vec::new() };
        examples.list(commands)?;
        programs.push(examples);
    }
    programs.retain(|program| !program.tests.is_empty());
    Ok(programs)
}

/// The test programs of cargo's messages: package by package, unit tests first, then by name.
fn built(messages: &str, root: &Path) -> Vec<Program> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let tests = messages.filter(|message| message["profile"]["test"] == true);
    let mut found: Vec<_> = tests
        .filter_map(|message| {
            let path = |value: &Value| value.as_str().map(PathBuf::from);
            let (target, source) = (&message["target"], path(&message["target"]["src_path"])?);
            let (executable, manifest) = (path(&message["executable"])?, path(&message["manifest_path"])?);
            let directory = manifest.parent()?.to_owned();
            let name = source.strip_prefix(root).unwrap_or(&source).display().to_string();
            let program = Program { name, kind: Kind::Built { executable, directory }, tests: Vec::new() };
            let is_integration = target["kind"][0] == "test";
            Some(((manifest, is_integration, target["name"].as_str()?.to_owned()), program))
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found.into_iter().map(|(_, program)| program).collect()
}

/// Leaves the programs the tests of the shard.
fn part(programs: &mut [Program], shard: Shard) {
    let mut numbers = 0..;
    for program in programs {
        program.tests.retain(|_| numbers.next().is_some_and(|number| shard.has(number)));
    }
}

impl Program {
    /// Runs the tests, and shows what they print as they print it.
    pub(super) fn run(&self, commands: &Commands<'_>) -> anyhow::Result<Suite> {
        let mut command = Command::from(self.command(commands));
        if commands.shard.is_part() {
            command.env("CI_SHARD", commands.shard.to_string());
        }
        if let Kind::Built { directory, .. } = &self.kind {
            command.current_dir(directory);
            if commands.shard.is_part() {
                command.arg("--exact").args(&self.tests);
            }
        }
        let started = Instant::now();
        let (status, output) = shown(command).with_context(|| format!("run {}", self.name))?;
        let cases = libtest::read(&self.name, &self.tests, &output, status);
        Ok(Suite { name: self.name.clone(), properties: Vec::new(), cases, elapsed: started.elapsed() })
    }

    fn list(&mut self, commands: &Commands<'_>) -> anyhow::Result<()> {
        let listed = self.command(commands).args(["--list", "--format", "terse"]).read();
        self.tests = libtest::listed(&listed.with_context(|| format!("list the tests of {}", self.name))?);
        Ok(())
    }

    /// What takes libtest's arguments, in the environment that cargo gives its tests as far as they can see it: what
    /// else cargo sets, `env!` has read while they were compiled.
    fn command<'a>(&self, commands: &'a Commands<'_>) -> Cmd<'a> {
        let command = match &self.kind {
            Kind::Built { executable, directory } => commands.program(executable).env("CARGO_MANIFEST_DIR", directory),
            Kind::Examples => commands.cargo("test --doc --workspace --locked --no-fail-fast --"),
        };
        command.envs(commands.server.iter().map(|(key, url)| (key, url)))
    }
}

/// How long a program's last words may take to arrive.
const LINGER: Duration = Duration::from_millis(200);

/// Runs a command, shows its stdout line by line, and gives it back. The end is the end of the program: a server
/// that a test has left behind may hold the pipe for ever.
fn shown(mut command: Command) -> anyhow::Result<(ExitStatus, String)> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut stdout = BufReader::new(child.stdout.take().context("no stdout")?);
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut line = Vec::new();
        while stdout.read_until(b'\n', &mut line).is_ok_and(|read| read > 0)
            && sender.send(mem::take(&mut line)).is_ok()
        {}
    });
    let mut output = String::new();
    loop {
        let has_ended = child.try_wait()?.is_some();
        match lines.recv_timeout(LINGER) {
            Ok(line) => {
                let line = String::from_utf8_lossy(&line);
                terminal::to_stdout(line.trim_end_matches('\n'));
                output.push_str(&line);
            }
            Err(RecvTimeoutError::Timeout) if !has_ended => {}
            Err(_) => return Ok((child.wait()?, output)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(manifest: &str, kind: &str, name: &str, source: &str) -> String {
        serde_json::json!({
            "reason": "compiler-artifact",
            "manifest_path": format!("/w/{manifest}/Cargo.toml"),
            "target": { "kind": [kind], "name": name, "src_path": format!("/w/{manifest}/{source}") },
            "profile": { "test": true },
            "executable": format!("/w/target/debug/deps/{name}-0"),
        })
        .to_string()
    }

    fn names(programs: &[Program]) -> Vec<&str> {
        programs.iter().map(|program| program.name.as_str()).collect()
    }

    #[test]
    fn programs_come_in_the_order_in_which_cargo_runs_them() {
        let messages = [
            message("tests", "test", "what_was_seen", "tests/what_was_seen/main.rs"),
            message("tests", "test", "setup", "tests/setup/main.rs"),
            message("xtask", "bin", "xtask", "src/main.rs"),
            message("tests", "lib", "tests", "src/lib.rs"),
            message("a", "lib", "built", "src/lib.rs").replace("true", "false"),
            message("a", "lib", "library", "src/lib.rs").replace("executable", "none"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
            "no message".to_owned(),
        ];
        assert_eq!(
            names(&built(&messages.join("\n"), Path::new("/w"))),
            ["tests/src/lib.rs", "tests/tests/setup/main.rs", "tests/tests/what_was_seen/main.rs", "xtask/src/main.rs"]
        );
    }

    #[test]
    fn each_test_is_in_one_shard() {
        let program = |name: &str, count: usize| Program {
            name: name.to_owned(),
            kind: Kind::Examples,
            tests: (0..count).map(|at| format!("{name}{at}")).collect(),
        };
        let whole = || vec![program("a", 5), program("b", 0), program("c", 1), program("d", 8)];
        let tests =
            |programs: &[Program]| programs.iter().flat_map(|program| program.tests.clone()).collect::<Vec<_>>();
        let of = |shard: &str| {
            let mut programs = whole();
            part(&mut programs, shard.parse().unwrap());
            tests(&programs)
        };
        assert_eq!(of("1/1"), tests(&whole()));
        let parts = [of("1/3"), of("2/3"), of("3/3")];
        assert_eq!(parts[1], ["a1", "a4", "d1", "d4", "d7"]);
        assert!(parts.iter().all(|part| [4, 5].contains(&part.len())), "{parts:?}");
        let mut all = parts.concat();
        all.sort_unstable();
        assert_eq!(all, tests(&whole()));
    }
}
