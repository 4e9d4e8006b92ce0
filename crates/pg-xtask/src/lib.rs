//! `cargo xtask db-setup`, `db-verify`, `db-reset` …: from a clean clone to a verified PostgreSQL database, for any
//! workspace whose tables live in a schema of their own.
//!
//! A workspace adopts the commands by a table, an alias and a package:
//!
//! ```toml
//! # Cargo.toml, with "xtask" among the workspace's members
//! [workspace.metadata.database]
//! name = "shop"
//! database = "shop_db"
//! role = "shop_user"
//! schema = "shop"
//! migrate-command = "psql -X -q -v ON_ERROR_STOP=1 --single-transaction -f schema.sql"
//! migrate-inputs = "schema.sql"
//!
//! # .cargo/config.toml
//! [alias]
//! xtask = "run --quiet --package xtask --"
//! ```
//!
//! ```no_run
//! // xtask/src/main.rs
//! fn main() -> std::process::ExitCode {
//!     pg_xtask::main(pg_xtask::Project::find(env!("CARGO_MANIFEST_DIR").as_ref()))
//! }
//! ```
//!
//! Then `cargo xtask db-setup` finds or starts a server, makes role, database, schema, privileges and search_path, runs
//! the migrations, and proves through the app's own connection that everything is where it belongs. A second run changes
//! nothing. `cargo xtask --help` lists the commands, and [`Project`] says what else the table may hold.
//!
//! Two keys of the table are optional. `migrate-build` builds what `migrate-command` runs, before a lock is taken.
//! `container-helper` names the package that speaks to Docker or Podman: without it no container is started.
//!
//! # Limits
//!
//! - Linux and macOS; PostgreSQL 13 or newer. Servers that it starts are for development.
//! - [`main`] reads the command line and the environment of the process, prints to its stdout and stderr, and listens to
//!   its signals: call it once, from `main`.

mod cli;
mod commands;
mod configuration;
mod ephemeral;
mod escape;
mod invocation;
mod live;
mod outcome;
mod own;
mod report;
mod signals;
mod terminal;
mod wrap;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _};
pub use pg_config::{Project, ProjectError};

pub use crate::own::OwnCommand;
use crate::{cli::Cli, outcome::Outcome};

/// Runs the command line of this process for a project, such as [`Project::find`] gives, and gives its exit code: 0 all
/// is well, 1 an error, 3 the checks found something, 4 no server was found. Wrong usage ends the process with 2.
pub fn main(project: Result<Project, ProjectError>) -> ExitCode {
    main_with(project, &[])
}

/// The same, with commands that this workspace alone has.
///
/// ```no_run
/// use pg_xtask::{OwnCommand, Project, main_with};
///
/// fn main() -> std::process::ExitCode {
///     let load = OwnCommand { name: "load", about: "Send orders for a minute", package: "shop-load" };
///     main_with(Project::find(env!("CARGO_MANIFEST_DIR").as_ref()), &[load])
/// }
/// ```
pub fn main_with(project: Result<Project, ProjectError>, own: &[OwnCommand]) -> ExitCode {
    let mut grammar = cli::in_groups(own.iter().fold(Cli::command(), |grammar, own| grammar.subcommand(own.grammar())));
    // A usage error exits with 2 from here.
    let typed = grammar.clone().get_matches();
    let own = typed.subcommand().and_then(|(name, typed)| Some((own.iter().find(|own| own.name == name)?, typed)));
    let outcome = match own {
        Some((own, typed)) => project.map_err(Into::into).and_then(|project| own.run(&project, typed)),
        None => {
            let command = Cli::from_arg_matches(&typed).and_then(Cli::into_command);
            let command = command.unwrap_or_else(|error| error.format(&mut grammar).exit());
            let listening = signals::listen().context("cannot listen to signals");
            listening.and(project.map_err(Into::into)).and_then(|project| commands::run(command, &project, grammar))
        }
    };
    let outcome = outcome.and_then(|outcome| terminal::check_results().map(|()| outcome));
    let code = match outcome {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            terminal::print_error(&error);
            Outcome::of(&error).into()
        }
    };
    signals::exit_code().map_or(code, ExitCode::from)
}
