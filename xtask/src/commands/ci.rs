//! `ci`: all that must hold before a merge, in sections that GitHub's log folds, each with its time.

use std::time::Instant;

use anyhow::Context as _;
use pg_config::{EnvFile, Environment, Project};
use xshell::{Cmd, Shell, cmd};

use crate::{cli::Ci, migrate::of_outer_cargo, outcome::Outcome, terminal::Terminal};

impl Ci {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let environment = Environment::read(project, &EnvFile::Ignored)?;
        let terminal = Terminal::new(self.output, &environment);
        if self.install {
            pg_server::install_where_missing(environment.process_os("PATH"), &mut |line| terminal.say(line))?;
        }
        let shell = Shell::new().context("open a shell")?;
        shell.change_dir(&project.root);
        let outer: Vec<_> = of_outer_cargo(&environment).collect();
        let cargo = |arguments: &str| {
            let command = cmd!(shell, "cargo").args(arguments.split_whitespace());
            outer.iter().fold(command, |command, key| command.env_remove(key))
        };
        let ci = Sections { terminal, is_github: environment.process("GITHUB_ACTIONS").is_some() };
        ci.section("format", cargo("fmt --all --check"))?;
        ci.section("lints", cargo("clippy --workspace --all-targets --locked -- --deny warnings"))?;
        // Before the tests: their features would make the two programs compile twice.
        ci.section("build", cargo("build --locked --package xtask"))?;
        if let Some(build) = project.migrate_build {
            let command = cmd!(shell, "sh -c {build}");
            ci.section("build of the migrations", outer.iter().fold(command, |command, key| command.env_remove(key)))?;
        }
        ci.section("tests", cargo("test --workspace --locked"))?;
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
