//! `cargo xtask`: the commands, the terminal and the reports, for any project whose tables live in a
//! PostgreSQL schema of their own. A project is a few lines of `main.rs`: see [`main`].

mod cli;
mod commands;
mod configuration;
mod container;
mod context;
mod ephemeral;
mod migrate;
mod outcome;
mod report;
mod server;
mod terminal;

use std::process::ExitCode;

use clap::Parser;
pub use pg_config::Project;

use crate::{cli::Cli, outcome::Outcome};

/// Runs the command line of this process for a project, and gives its exit code.
pub fn main(project: &Project) -> ExitCode {
    // A usage error exits with 2 from here.
    let cli = Cli::parse();
    match cli.run(project) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            terminal::print_error(&error);
            Outcome::of(&error).into()
        }
    }
}
