//! `ci`: all that must hold before a merge, in sections that GitHub's log folds, each with its time.

mod nextest;
mod summary;

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};
use pg_config::{EnvFile, Environment, Project};
use pg_server::Mode;
use pg_workflow::of_outer_cargo;
use serde_json::Value;
use xshell::{Cmd, Shell};

use super::setup::set_up;
use crate::{
    cli::{Ci, Common, Shard},
    ephemeral, escape,
    invocation::Invocation,
    outcome::Outcome,
    report::{self, Account, Case, CaseEnding, Reporting, Suite},
    terminal::{self, Terminal},
};

impl Ci {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        report::accompany_tests("ci", self.junit.as_deref(), |suites| self.run_on_server(project, suites))
    }

    fn run_on_server(&self, project: &Project, suites: &mut Vec<Suite>) -> anyhow::Result<Outcome> {
        let environment = Environment::read(project, &EnvFile::Ignored)?;
        let terminal = Terminal::new(self.output, &environment);
        if self.install {
            pg_server::install_where_missing(environment.process_os("PATH"), &mut |line| terminal.say(line))?;
        }
        if !self.ephemeral {
            return self.check(project, &environment, terminal, &[], suites);
        }
        let common = Common { server: None, env_file: None, no_env_file: false, wait: 30, output: self.output };
        let context = Invocation::new(project, &common)?;
        let mode = if self.install { Mode::Install } else { Mode::Start };
        ephemeral::with(&context, mode, |target| {
            let found = set_up(&context, target, Duration::from_secs(60), &Reporting::as_text("ci"), None)?;
            if found != Outcome::Well {
                return Ok(found);
            }
            let administrator = target.server.superuser.as_ref().map(|found| ("ADMIN_DATABASE_URL", found.url()));
            let server: Vec<_> = [("DATABASE_URL", target.access.app.url())].into_iter().chain(administrator).collect();
            self.check(project, &environment, terminal, &server, suites)
        })
    }

    /// Runs the sections; the tests with the variables that name a server.
    fn check(
        &self,
        project: &Project,
        environment: &Environment,
        terminal: Terminal,
        server: &[(&str, String)],
        suites: &mut Vec<Suite>,
    ) -> anyhow::Result<Outcome> {
        let shell = Shell::new().context("cannot open a shell")?;
        shell.change_dir(&project.root);
        let commands = Commands { shell, outer: of_outer_cargo(environment).collect(), server };
        let has_nextest = nextest::is_installed(&commands);
        if !has_nextest && (self.junit.is_some() || self.shard != Shard::WHOLE) {
            bail!(
                "ci: --junit and --shard need cargo-nextest, which is not installed; nothing was done\n  \
                 help: {INSTALL_NEXTEST}"
            );
        }
        let is_github = environment.process("GITHUB_ACTIONS").is_some();
        let mut ci = Sections { terminal, is_github, times: Vec::new() };
        let outcome = self.sections(project, &commands, has_nextest, &mut ci, suites);
        summary::print(terminal, &ci.times, suites);
        outcome?;
        let wrong = wrong(suites);
        if !wrong.is_empty() {
            let count: usize = suites.iter().map(|suite| suite.cases.len()).sum();
            let all = wrong.join("\n  ");
            terminal::print_error(&anyhow!("ci: tests: {} of {count} did not pass:\n  {all}", wrong.len()));
            return Ok(Outcome::Error);
        }
        if !has_nextest {
            terminal.say(&format!("cargo-nextest tells each test's time, reports and shards: {INSTALL_NEXTEST}"));
        }
        terminal.say(&match self.shard {
            Shard::WHOLE => "all that must hold before a merge holds".to_owned(),
            shard => format!("shard {shard} of all that must hold before a merge holds"),
        });
        Ok(Outcome::Well)
    }

    fn sections(
        &self,
        project: &Project,
        commands: &Commands<'_>,
        has_nextest: bool,
        ci: &mut Sections,
        suites: &mut Vec<Suite>,
    ) -> anyhow::Result<()> {
        let is_first = self.shard.number == 1;
        if is_first {
            ci.command("format", commands.cargo("fmt --all --check"))?;
            ci.command("lints", commands.cargo("clippy --workspace --all-targets --locked -- --deny warnings"))?;
        }
        // Before the tests: their features would make the program compile twice.
        if let Some(build) = &project.migrate_build {
            ci.command("build of the migrations", commands.program("sh").arg("-c").arg(build))?;
        }
        // A program of its own, which is built as db-setup builds it. Beside the rest of the workspace its two hundred
        // crates would have other features, and compile twice.
        let helper = project.container_helper.as_ref().filter(|helper| !helper.contains('/'));
        let parts = match helper {
            None => vec!["--workspace".to_owned()],
            Some(helper) => {
                let build = commands.cargo(&format!("build --locked --package {helper}"));
                ci.command("build of the container helper", build)?;
                vec![format!("--workspace --exclude {helper}"), format!("--package {helper}")]
            }
        };
        match has_nextest {
            true => self.tests_by_nextest(commands, &parts, ci, suites)?,
            false => ci.section("tests", || {
                let tests = |part| commands.cargo(&format!("test {part} --locked --no-fail-fast"));
                Ok(parts.iter().try_for_each(|part| commands.for_tests(tests(part)).run())?)
            })?,
        }
        if is_first && wrong(suites).is_empty() {
            let docs = commands.cargo("doc --workspace --no-deps --locked");
            ci.command("docs", docs.env("RUSTDOCFLAGS", "--deny warnings"))?;
        }
        Ok(())
    }

    /// The tests, each with its outcome, and the documentation's examples, which are in the first shard.
    fn tests_by_nextest(
        &self,
        commands: &Commands<'_>,
        parts: &[String],
        ci: &mut Sections,
        suites: &mut Vec<Suite>,
    ) -> anyhow::Result<()> {
        let workspace = Workspace::read(commands)?;
        ci.section("build of the tests", || parts.iter().try_for_each(|part| nextest::build(commands, part)))?;
        ci.section("tests", || {
            let directory = workspace.target.join("xtask-ci");
            parts.iter().try_for_each(|part| {
                suites.extend(nextest::run(commands, part, &directory, self.shard)?);
                Ok(())
            })
        })?;
        if self.shard.number == 1 && workspace.has_examples {
            suites.push(ci.section("examples of the documentation", || examples(commands, &parts[0]))?);
        }
        Ok(())
    }
}

const INSTALL_NEXTEST: &str = "cargo install --locked cargo-nextest (two minutes; https://nexte.st has it built)";

/// Runs the examples, which nextest leaves to cargo: one case, as stable Rust does not tell of each.
fn examples(commands: &Commands<'_>, part: &str) -> anyhow::Result<Suite> {
    let started = Instant::now();
    let command = format!("test --doc {part} --locked --no-fail-fast");
    let status =
        Command::from(commands.for_tests(commands.cargo(&command))).status().context("cannot run cargo test --doc")?;
    let elapsed = started.elapsed();
    let ending = if status.success() {
        CaseEnding::Passed
    } else {
        let message = format!("cargo {command} ended with {status}");
        CaseEnding::Failed(Account { kind: "examples".to_owned(), text: message.clone(), message })
    };
    let name = "examples of the documentation".to_owned();
    let case = Case { name: name.clone(), elapsed: Some(elapsed), ending };
    Ok(Suite { name, properties: Vec::new(), cases: vec![case], elapsed })
}

/// `tests::setup reset::…` of each that did not pass.
fn wrong(suites: &[Suite]) -> Vec<String> {
    let cases = suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)));
    let wrong = cases.filter(|(_, case)| case.is_wrong());
    wrong.map(|(suite, case)| format!("{} {}", suite.name, case.name)).collect()
}

/// What cargo says of the workspace.
struct Workspace {
    target: PathBuf,
    /// Whether a library's documentation may have examples: cargo refuses to test those of none.
    has_examples: bool,
}

impl Workspace {
    fn read(commands: &Commands<'_>) -> anyhow::Result<Self> {
        let metadata = commands.cargo("metadata --no-deps --format-version 1 --locked").quiet().read()?;
        let metadata: Value = serde_json::from_str(&metadata).context("cannot read cargo metadata")?;
        let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
        let packages = metadata["packages"].as_array().into_iter().flatten();
        let mut targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
        Ok(Self { target: target.into(), has_examples: targets.any(|target| target["doctest"] == true) })
    }
}

/// How commands are run: at the workspace's root, and as if no cargo had run this program.
struct Commands<'a> {
    shell: Shell,
    outer: Vec<&'a str>,
    /// The variables that name a server to the tests.
    server: &'a [(&'a str, String)],
}

impl Commands<'_> {
    fn cargo(&self, arguments: &str) -> Cmd<'_> {
        self.program("cargo").args(arguments.split_whitespace())
    }

    fn program(&self, path: &str) -> Cmd<'_> {
        self.outer.iter().fold(self.shell.cmd(path), |command, key| command.env_remove(key))
    }

    fn for_tests<'a>(&'a self, command: Cmd<'a>) -> Cmd<'a> {
        command.envs(self.server.iter().map(|(key, url)| (key, url)))
    }
}

/// Sections of the log, and how long each took.
struct Sections {
    terminal: Terminal,
    is_github: bool,
    times: Vec<(String, Duration)>,
}

impl Sections {
    fn command(&mut self, name: &str, command: Cmd<'_>) -> anyhow::Result<()> {
        self.section(name, || Ok(command.run()?))
    }

    fn section<T>(&mut self, name: &str, run: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        match self.is_github {
            true => self.terminal.command(&format!("::group::{}", escape::workflow(name))),
            false => self.terminal.say(&format!("== {name}")),
        }
        let started = Instant::now();
        let outcome = run().with_context(|| format!("ci: {name}"));
        if self.is_github {
            self.terminal.command("::endgroup::");
        }
        self.times.push((name.to_owned(), started.elapsed()));
        outcome
    }
}
