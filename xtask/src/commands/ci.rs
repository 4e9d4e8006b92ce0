//! `ci`: all that must hold before a merge, in sections that GitHub's log folds, each with its time.

use std::time::Instant;

use anyhow::Context as _;
use pg_config::{EnvFile, Environment, Project};
use xshell::{Shell, cmd};

use crate::{cli::Ci, outcome::Outcome, terminal::Terminal};

impl Ci {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let environment = Environment::read(project, &EnvFile::Ignored)?;
        let terminal = Terminal::new(self.output, &environment);
        if self.install {
            anyhow::bail!("x");
        }
        let shell = Shell::new().context("open a shell")?;
        shell.change_dir(&project.root);
        let ci = Sections { terminal, is_github: environment.process("GITHUB_ACTIONS").is_some() };
        ci.section("format", || Ok(cmd!(shell, "cargo fmt --all --check").run()?))?;
        ci.section("lints", || {
            Ok(cmd!(shell, "cargo clippy --workspace --all-targets --locked -- --deny warnings").run()?)
        })?;
        // Before the tests: their features would make the two programs compile twice.
        ci.section("build", || Ok(cmd!(shell, "cargo build --locked").run()?))?;
        ci.section("tests", || Ok(cmd!(shell, "cargo test --workspace --locked").run()?))?;
        ci.section("docs", || {
            Ok(cmd!(shell, "cargo doc --workspace --no-deps --locked").env("RUSTDOCFLAGS", "--deny warnings").run()?)
        })?;
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
    fn section(&self, name: &str, run: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
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
