//! `cargo xtask`: the commands, the terminal and the reports, for any project whose tables live in a
//! PostgreSQL schema of their own. A project is a table of its workspace's `Cargo.toml`: see [`Project`].

mod cli;
mod commands;
mod configuration;
mod context;
mod ephemeral;
mod escape;
mod outcome;
mod own;
mod report;
mod signals;
mod terminal;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _};
pub use pg_config::{Project, ProjectError};

pub use crate::own::OwnCommand;
use crate::{cli::Cli, outcome::Outcome};

/// Runs the command line of this process for a project, such as [`Project::find`] gives, and gives its exit code.
pub fn main(project: Result<Project, ProjectError>) -> ExitCode {
    main_with(project, &[])
}

/// The same, with commands that this workspace alone has.
pub fn main_with(project: Result<Project, ProjectError>, own: &[OwnCommand]) -> ExitCode {
    let mut grammar = own.iter().fold(Cli::command(), |grammar, own| grammar.subcommand(own.grammar()));
    // A usage error exits with 2 from here.
    let typed = grammar.clone().get_matches();
    let own = typed.subcommand().and_then(|(name, typed)| Some((own.iter().find(|own| own.name == name)?, typed)));
    let outcome = match own {
        Some((own, typed)) => project.map_err(Into::into).and_then(|project| own.run(&project, typed)),
        None => {
            let cli = Cli::from_arg_matches(&typed).unwrap_or_else(|error| error.format(&mut grammar).exit());
            let listening = signals::listen().context("listen to signals");
            listening.and(project.map_err(Into::into)).and_then(|project| commands::run(cli, &project, grammar))
        }
    };
    let code = match outcome {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            terminal::print_error(&error);
            Outcome::of(&error).into()
        }
    };
    signals::exit_code().map_or(code, ExitCode::from)
}
