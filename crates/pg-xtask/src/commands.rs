//! The commands: each file holds one command's `run` and what only it needs.

mod ci;
mod clone;
mod completions;
mod env;
mod migrate;
mod psql;
mod relocate;
mod reset;
mod setup;
mod status;
mod stop;
mod url;
mod verify;

use pg_config::Project;

use crate::{cli::Command, outcome::Outcome, report};

/// Runs what was typed by this grammar.
pub(crate) fn run(command: Command, project: &Project, grammar: clap::Command) -> anyhow::Result<Outcome> {
    match command {
        Command::DbSetup(flags) => {
            report::accompany(project, "db-setup", flags.reports.clone(), |reporting| flags.run(project, reporting))
        }
        Command::DbVerify(flags) => {
            report::accompany(project, "db-verify", flags.reports.clone(), |reporting| flags.run(project, reporting))
        }
        Command::DbMigrate(flags) => {
            report::accompany(project, "db-migrate", flags.reports.clone(), |reporting| flags.run(project, reporting))
        }
        Command::DbMove(flags) => flags.run(project),
        Command::DbReset(flags) => flags.run(project),
        Command::DbStatus(flags) => flags.run(project),
        Command::DbUrl(flags) => flags.run(project),
        Command::DbEnv(flags) => flags.run(project),
        Command::DbPsql(flags) => flags.run(project),
        Command::DbClone(flags) => flags.run(project),
        Command::DbDrop(flags) => flags.run(project),
        Command::DbStop(flags) => flags.run(project),
        Command::Ci(flags) => flags.run(project),
        Command::Completions(flags) => Ok(flags.run(grammar)),
    }
}
