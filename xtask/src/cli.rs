//! The grammar of the command line, in one place. Each command's own file in `commands` holds its `run`.

mod reports;
mod shard;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};
use pg_config::ServerChoice;

pub(crate) use self::{
    reports::{Destination, Format, Kind, Reports},
    shard::Shard,
};

/// From a clean clone to a verified PostgreSQL database.
///
/// Exit codes: 0 all is well, 1 an error, 2 wrong usage, 3 the checks found something, 4 no server could be had.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set up everything: server, role, database, schema, grants, search_path, migrations; then verify
    DbSetup(DbSetup),
    /// Prove or refute that everything is where it belongs; leaves nothing behind
    DbVerify(DbVerify),
    /// Run the app's migrations, and prove where each new object landed
    DbMigrate(DbMigrate),
    /// Move what lies in another schema into the app's, in one transaction
    ///
    /// The way without a stop: `db-move --prepare`, restart the app's sessions, `db-move`. The schema is renamed where
    /// all that it holds moves, so no table is locked; else each object is moved by a statement. Nothing is moved where
    /// something would break or be lost: all of that is named first.
    DbMove(DbMove),
    /// Replace the app's database by a new one that is set up
    ///
    /// The database is renamed, the new one is made and verified under the true name, and the old one is dropped last:
    /// until then the disk holds both. Where the new one fails, the old one comes back. Owner, encoding, locale,
    /// privileges, settings, comment and connection limit are kept.
    DbReset(DbReset),
    /// Show which server serves and why, its state, and where each value of the configuration came from
    DbStatus(DbStatus),
    /// Print the app's connection string, and nothing else
    DbUrl(DbUrl),
    /// Print `export DATABASE_URL=…` lines for a shell
    DbEnv(DbEnv),
    /// Open psql on the app's database
    DbPsql(DbPsql),
    /// Make an isolated copy of the migrated database, for tests in any language; print its connection string
    DbClone(DbClone),
    /// Drop a copy that db-clone made
    DbDrop(DbDrop),
    /// Stop the server that db-setup started
    DbStop(DbStop),
    /// Run all that must hold before a merge: format, lints, build, tests, docs
    Ci(Ci),
    /// Print shell completions
    Completions(Completions),
}

/// What every `db-*` command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Where the server comes from: auto, env, container, local [env: DB_SERVER] [default: auto]
    #[arg(long, value_name = "RUNG", hide_default_value = true)]
    pub(crate) server: Option<ServerChoice>,
    /// Read this file instead of the workspace's .env
    #[arg(long, value_name = "PATH")]
    pub(crate) env_file: Option<PathBuf>,
    /// Read no .env
    #[arg(long, conflicts_with = "env_file")]
    pub(crate) no_env_file: bool,
    /// Wait so long for a server that is still starting, or has no free connection
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) wait: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How much is said, and how it looks.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Output {
    /// Say only what is wrong
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say each step, each statement, the migrate command as it was written, and its own words
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Colour
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

/// When colours are used; `NO_COLOR` is honoured by `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
pub(crate) struct DbSetup {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Print the whole setup as an SQL script for an administrator, and change nothing
    #[arg(long, conflicts_with_all = ["report", "format"])]
    pub(crate) dry_run: bool,
    /// On a server of its own, which ends with this command
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) ephemeral: bool,
    /// Where nothing else can serve, install PostgreSQL by the system's package manager
    #[arg(long)]
    pub(crate) install: bool,
    /// Change the password of a role that exists, where its login is refused
    #[arg(long)]
    pub(crate) set_password: bool,
    /// Wait so long for another setup on the same server
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) lock_wait: u64,
    #[command(flatten)]
    pub(crate) reports: Reports,
}

#[derive(Debug, Args)]
pub(crate) struct DbVerify {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Run the SQL of the findings that moves no data and drops nothing, by the app's own connection, then by the administrator's, each in one transaction; then verify again
    #[arg(long)]
    pub(crate) fix: bool,
    /// With --fix: print that SQL, and change nothing
    #[arg(long, requires = "fix", conflicts_with_all = ["report", "format"])]
    pub(crate) dry_run: bool,
    /// Wait so long for another command that sets up or migrates on the same server
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) lock_wait: u64,
    #[command(flatten)]
    pub(crate) reports: Reports,
    /// Say what a check means, why it matters, how it comes about and how it is mended; needs no server
    #[arg(
        long,
        value_name = "ID",
        value_parser = PossibleValuesParser::new(pg_schema::CHECKS),
        conflicts_with_all = [
            "fix", "lock_wait", "format", "report", "server", "env_file", "no_env_file", "wait", "quiet", "verbose",
        ]
    )]
    pub(crate) explain: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DbMigrate {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Wait so long for another setup on the same server
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) lock_wait: u64,
    #[command(flatten)]
    pub(crate) reports: Reports,
}

#[derive(Debug, Args)]
pub(crate) struct DbMove {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The schema to move from
    #[arg(long, value_name = "SCHEMA", default_value = "public")]
    pub(crate) from: String,
    /// Print what would be moved and what is in the way, and change nothing; exits with 3 where there is something to move
    #[arg(long, conflicts_with_all = ["prepare", "undo", "backup"])]
    pub(crate) dry_run: bool,
    /// Make the schema and set the search_path, and move nothing: the app goes on with its tables where they are
    #[arg(long)]
    pub(crate) prepare: bool,
    /// Move only objects whose name matches; `*` and `?` as in a shell; repeat for more
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Vec<String>,
    /// Leave objects whose name matches; repeat for more
    #[arg(long, value_name = "PATTERN")]
    pub(crate) except: Vec<String>,
    /// Move objects of roles that have nothing to do with the app, too
    #[arg(long)]
    pub(crate) all_owners: bool,
    /// Drop empty tables of the app's schema that have the name of one that moves
    #[arg(long)]
    pub(crate) replace_empty: bool,
    /// Change functions whose body or search_path names the old schema; --dry-run shows the changes
    #[arg(long)]
    pub(crate) rewrite_functions: bool,
    /// Move although publications, subscriptions or replication slots know the tables by their old names
    #[arg(long)]
    pub(crate) move_publications: bool,
    /// Move although texts, settings or paths that are named would no longer find what moves
    #[arg(long)]
    pub(crate) allow_broken: bool,
    /// Write a script that takes the move back
    #[arg(long, value_name = "FILE", conflicts_with = "prepare")]
    pub(crate) undo: Option<PathBuf>,
    /// Dump the database first, by pg_dump in its custom format
    #[arg(long, value_name = "FILE", conflicts_with = "prepare")]
    pub(crate) backup: Option<PathBuf>,
    /// Move without a dump on a server that is not on this machine
    #[arg(long, conflicts_with = "backup")]
    pub(crate) no_backup: bool,
    /// Repeat the server's name, where it is not on this machine
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Seconds to wait for sessions that keep an older search_path; without it they are named, and the move goes on
    #[arg(long, value_name = "SECONDS")]
    pub(crate) wait_for_sessions: Option<u64>,
    /// How often to try while others hold locks
    #[arg(long, value_name = "TIMES", default_value_t = 10)]
    pub(crate) tries: u32,
    /// Seconds to wait for another command on the same server
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) lock_wait: u64,
    /// What stdout gets
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct DbReset {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) guard: Guard,
    /// Wait so long for another setup on the same server
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) lock_wait: u64,
}

/// What a destructive command wants to hear.
#[derive(Debug, Args)]
pub(crate) struct Guard {
    /// Do it without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Repeat the server's name: wanted where it is not one that we started
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DbStatus {
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct DbUrl {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Carry the search_path in the URL's options, whatever the server's own settings are
    #[arg(long)]
    pub(crate) options: bool,
    /// The administrator's connection to the maintenance database instead
    #[arg(long, conflicts_with = "options")]
    pub(crate) admin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DbEnv {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Print lines for $GITHUB_ENV
    #[arg(long)]
    pub(crate) github: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DbPsql {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Arguments for psql
    #[arg(last = true)]
    pub(crate) arguments: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DbClone {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Tells it from other copies; its database is called by the project's, `_clone_` and this
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct DbDrop {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) guard: Guard,
    /// The copy's name, as it was given to db-clone
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct DbStop {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Delete its data too
    #[arg(long)]
    pub(crate) purge: bool,
    /// Do it without asking
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Ci {
    /// Set up a server of its own, which ends with this command, and hand it to the tests as DATABASE_URL
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Where PostgreSQL's server binaries are missing, install them by the system's package manager
    #[arg(long)]
    pub(crate) install: bool,
    /// Report the tests as JUnit's XML too: a suite a test program, a case a test (needs cargo-nextest)
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Run the K-th of N parts of the tests; the first with format, lints and docs (needs cargo-nextest)
    #[arg(long, value_name = "K/N", default_value_t = Shard::WHOLE, hide_default_value = true)]
    pub(crate) shard: Shard,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }
}
