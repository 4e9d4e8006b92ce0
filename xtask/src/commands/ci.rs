//! `ci`: all that must hold before a merge, in sections that GitHub's log folds, each with its time.

mod libtest;
mod programs;
mod shard;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use pg_config::{EnvFile, Environment, Project};
use pg_server::Mode;
use pg_setup::migrate::of_outer_cargo;
use xshell::{Cmd, Shell};

pub(crate) use self::shard::Shard;
use super::setup::set_up;
use crate::{
    cli::{Ci, Common},
    context::Context,
    ephemeral,
    outcome::Outcome,
    report::{self, Reporting, Suite},
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
        let context = Context::new(project, &common)?;
        let mode = if self.install { Mode::Install } else { Mode::Start };
        ephemeral::with(&context, mode, |target| {
            let found = set_up(&context, target, Duration::from_secs(60), &Reporting::as_text("ci"))?;
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
        let shell = Shell::new().context("open a shell")?;
        shell.change_dir(&project.root);
        let commands = Commands {
            root: &project.root,
            shell,
            outer: of_outer_cargo(environment).collect(),
            server,
            shard: self.shard,
        };
        let ci = Sections { terminal, is_github: environment.process("GITHUB_ACTIONS").is_some() };
        if self.shard.is_first() {
            ci.command("format", commands.cargo("fmt --all --check"))?;
            ci.command("lints", commands.cargo("clippy --workspace --all-targets --locked -- --deny warnings"))?;
        }
        // Before the tests: their features would make the two programs compile twice.
        ci.command("build", commands.cargo("build --locked --package xtask"))?;
        if let Some(build) = &project.migrate_build {
            ci.command("build of the migrations", commands.program("sh").arg("-c").arg(build))?;
        }
        // No default member of the workspace: it is built where it is needed, and here always.
        let helper = &project.container_helper;
        if !helper.contains('/') {
            ci.command("build of the container helper", commands.cargo(&format!("build --locked --package {helper}")))?;
        }
        let programs = ci.section("build of the tests", || programs::of_workspace(&commands))?;
        for program in programs {
            suites.push(ci.section(&format!("tests: {}", program.name), || program.run(&commands))?);
        }
        let wrong = wrong(suites);
        if !wrong.is_empty() {
            let count: usize = suites.iter().map(|suite| suite.cases.len()).sum();
            let all = wrong.join("\n  ");
            terminal::print_error(&anyhow!("ci: tests: {} of {count} did not pass:\n  {all}", wrong.len()));
            return Ok(Outcome::Error);
        }
        if self.shard.is_first() {
            let docs = commands.cargo("doc --workspace --no-deps --locked");
            ci.command("docs", docs.env("RUSTDOCFLAGS", "--deny warnings"))?;
        }
        terminal.say(&match self.shard {
            Shard::WHOLE => "all that must hold before a merge holds".to_owned(),
            shard => format!("shard {shard} of all that must hold before a merge holds"),
        });
        Ok(Outcome::Well)
    }
}

/// `tests/tests/setup/main.rs: reset::…` of each that did not pass.
fn wrong(suites: &[Suite]) -> Vec<String> {
    let cases = suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)));
    let wrong = cases.filter(|(_, case)| case.is_wrong());
    wrong.map(|(suite, case)| format!("{}: {}", suite.name, case.name)).collect()
}

/// How commands are run: at the workspace's root, and as if no cargo had run this program.
struct Commands<'a> {
    root: &'a Path,
    shell: Shell,
    outer: Vec<&'a str>,
    /// The variables that name a server to the tests.
    server: &'a [(&'a str, String)],
    shard: Shard,
}

impl Commands<'_> {
    fn cargo(&self, arguments: &str) -> Cmd<'_> {
        self.program("cargo").args(arguments.split_whitespace())
    }

    fn program(&self, path: impl AsRef<Path>) -> Cmd<'_> {
        self.outer.iter().fold(self.shell.cmd(path), |command, key| command.env_remove(key))
    }
}

/// Sections of the log.
struct Sections {
    terminal: Terminal,
    is_github: bool,
}

impl Sections {
    fn command(&self, name: &str, command: Cmd<'_>) -> anyhow::Result<()> {
        self.section(name, || Ok(command.run()?))
    }

    fn section<T>(&self, name: &str, run: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.terminal.say(&if self.is_github { format!("::group::{name}") } else { format!("== {name}") });
        let started = Instant::now();
        let outcome = run().with_context(|| format!("ci: {name}"));
        if self.is_github {
            self.terminal.say("::endgroup::");
        }
        self.terminal.say(&format!("{name}: {:.1} s", started.elapsed().as_secs_f64()));
        outcome
    }
}
