//! `ci`: all that must hold before a merge, in sections that GitHub's log folds, each with its time.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use pg_config::{EnvFile, Environment, Project};
use pg_server::Mode;
use pg_setup::migrate::of_outer_cargo;
use xshell::{Cmd, Shell, cmd};

use super::setup::set_up;
use crate::{
    cli::{Ci, Common},
    context::Context,
    ephemeral,
    outcome::Outcome,
    report::Reporting,
    terminal::Terminal,
};

impl Ci {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let environment = Environment::read(project, &EnvFile::Ignored)?;
        let terminal = Terminal::new(self.output, &environment);
        if self.install {
            pg_server::install_where_missing(environment.process_os("PATH"), &mut |line| terminal.say(line))?;
        }
        if !self.ephemeral {
            return self.check(project, &environment, terminal, &[]);
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
            self.check(project, &environment, terminal, &server)
        })
    }

    /// Runs the sections; the tests with the variables that name a server.
    fn check(
        &self,
        project: &Project,
        environment: &Environment,
        terminal: Terminal,
        server: &[(&str, String)],
    ) -> anyhow::Result<Outcome> {
        let shell = Shell::new().context("open a shell")?;
        shell.change_dir(&project.root);
        let outer: Vec<_> = of_outer_cargo(environment).collect();
        let cargo = |arguments: &str| {
            let command = cmd!(shell, "cargo").args(arguments.split_whitespace());
            outer.iter().fold(command, |command, key| command.env_remove(key))
        };
        let ci = Sections { terminal, is_github: environment.process("GITHUB_ACTIONS").is_some() };
        ci.section("format", cargo("fmt --all --check"))?;
        ci.section("lints", cargo("clippy --workspace --all-targets --locked -- --deny warnings"))?;
        // Before the tests: their features would make the two programs compile twice.
        ci.section("build", cargo("build --locked --package xtask"))?;
        if let Some(build) = &project.migrate_build {
            let command = cmd!(shell, "sh -c {build}");
            ci.section("build of the migrations", outer.iter().fold(command, |command, key| command.env_remove(key)))?;
        }
        // No default member of the workspace: it is built where it is needed, and here always.
        ci.section(
            "build of the container helper",
            cargo(&format!("build --locked --package {}", project.container_helper)),
        )?;
        let tests = cargo("test --workspace --locked");
        let tests = server.iter().fold(tests, |tests, (key, url)| tests.env(key, url));
        ci.section("tests", tests)?;
        ci.section("docs", cargo("doc --workspace --no-deps --locked").env("RUSTDOCFLAGS", "--deny warnings"))?;
        terminal.say("all that must hold before a merge holds");
        Ok(Outcome::Well)
    }
}

/// Sections of the log.
struct Sections {
    terminal: Terminal,
    is_github: bool,
}

impl Sections {
    fn section(&self, name: &str, command: Cmd<'_>) -> anyhow::Result<()> {
        self.terminal.say(&if self.is_github { format!("::group::{name}") } else { format!("== {name}") });
        let started = Instant::now();
        let outcome = command.run().with_context(|| format!("ci: {name}"));
        if self.is_github {
            self.terminal.say("::endgroup::");
        }
        self.terminal.say(&format!("{name}: {:.1} s", started.elapsed().as_secs_f64()));
        outcome
    }
}
