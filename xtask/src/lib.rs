//! `cargo xtask`: the commands, the terminal and the reports, for any project whose tables live in a
//! PostgreSQL schema of their own. A project is a table of its workspace's `Cargo.toml`: see [`Project`].

mod cli;
mod commands;
mod configuration;
mod context;
mod ephemeral;
mod escape;
mod outcome;
mod report;
mod signals;
mod terminal;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
pub use pg_config::{Project, ProjectError};

use crate::{cli::Cli, outcome::Outcome};

/// Runs the command line of this process for a project, such as [`Project::find`] gives, and gives its exit code.
pub fn main(project: Result<Project, ProjectError>) -> ExitCode {
    // A usage error exits with 2 from here.
    let cli = Cli::parse();
    let listening = signals::listen().context("listen to signals");
    let outcome = listening.and(project.map_err(Into::into)).and_then(|project| cli.run(&project));
    let code = match outcome {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            terminal::print_error(&error);
            Outcome::of(&error).into()
        }
    };
    signals::exit_code().map_or(code, ExitCode::from)
}
