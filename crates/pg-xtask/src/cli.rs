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

/// From a clean clone to a verified PostgreSQL database
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
pub(crate) struct Cli {
    /// The same flags as after the command.
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands as `cargo xtask` alone shows them; one that is in no group is the project's.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Start", &["db-setup", "db-status"]),
    ("Every day", &["db-psql", "db-url", "db-env", "db-migrate", "db-verify", "db-move", "db-reset", "db-stop"]),
    ("Tests", &["db-clone", "db-drop"]),
    ("Project", &[]),
];

const EXIT_CODES: &str = "\
Exit codes:
  0  all is well
  1  an error
  2  wrong usage
  3  the checks found something
  4  no server found";

/// The grammar with its commands in groups.
pub(crate) fn in_groups(grammar: clap::Command) -> clap::Command {
    let is_grouped = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let commands: Vec<_> = grammar.get_subcommands().map(|command| (command.get_name(), command.get_about())).collect();
    let width = commands.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::from("{about}\n\nStart here: cargo xtask db-setup\n\n{usage-heading} {usage}\n");
    for (title, names) in GROUPS {
        let listed = names.iter().filter_map(|name| commands.iter().find(|command| command.0 == *name));
        let rest = commands.iter().filter(|(name, _)| names.is_empty() && !is_grouped(name));
        text += &format!("\n{title}:\n");
        for (name, about) in listed.chain(rest) {
            text += &format!("  {name:<width$}  {}\n", about.map(ToString::to_string).unwrap_or_default());
        }
    }
    text += &format!(
        "\nOptions:\n{{options}}\n\nEach command has its own help: cargo xtask db-setup --help\n\n{EXIT_CODES}"
    );
    grammar.help_template(text)
}

impl Cli {
    /// The command, with the flags that stood before it.
    pub(crate) fn into_command(mut self) -> Result<Command, clap::Error> {
        let before = self.output;
        if let Some(output) = self.command.output_mut() {
            output.quiet |= before.quiet;
            output.verbose |= before.verbose;
            if output.color == Color::Auto {
                output.color = before.color;
            }
            if output.quiet && output.verbose {
                let words = "the argument '--quiet' cannot be used with '--verbose'";
                return Err(clap::Error::raw(clap::error::ErrorKind::ArgumentConflict, words));
            }
        }
        Ok(self.command)
    }
}

impl Command {
    /// How much this command says; nothing of one that only prints.
    fn output_mut(&mut self) -> Option<&mut Output> {
        Some(match self {
            Self::DbSetup(flags) => &mut flags.common.output,
            Self::DbVerify(flags) => &mut flags.common.output,
            Self::DbMigrate(flags) => &mut flags.common.output,
            Self::DbMove(flags) => &mut flags.common.output,
            Self::DbReset(flags) => &mut flags.common.output,
            Self::DbStatus(flags) => &mut flags.common.output,
            Self::DbUrl(flags) => &mut flags.common.output,
            Self::DbEnv(flags) => &mut flags.common.output,
            Self::DbPsql(flags) => &mut flags.common.output,
            Self::DbClone(flags) => &mut flags.common.output,
            Self::DbDrop(flags) => &mut flags.common.output,
            Self::DbStop(flags) => &mut flags.common.output,
            Self::Ci(flags) => &mut flags.output,
            Self::Completions(_) => return None,
        })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set up a server, the database, its schema; migrate, verify
    DbSetup(DbSetup),
    /// Check that everything is where it belongs
    DbVerify(DbVerify),
    /// Run the app's migrations, and check where they landed
    DbMigrate(DbMigrate),
    /// Move tables from another schema into the app's
    ///
    /// The way without a stop: `db-move --prepare`, restart the app's sessions, `db-move`. The schema is renamed where
    /// all that it holds moves, so no table is locked; else each object is moved by a statement. Nothing is moved where
    /// something would break or be lost: all of that is named first.
    DbMove(DbMove),
    /// Replace the app's database by a new one
    ///
    /// The database is renamed, the new one is made and verified under the true name, and the old one is dropped last:
    /// until then the disk holds both. Where the new one fails, the old one comes back. Owner, encoding, locale,
    /// privileges, settings, comment and connection limit are kept.
    DbReset(DbReset),
    /// Show the server, its state, and the configuration
    DbStatus(DbStatus),
    /// Print the app's connection string
    DbUrl(DbUrl),
    /// Print `export DATABASE_URL=…` for a shell
    DbEnv(DbEnv),
    /// Open psql on the app's database
    DbPsql(DbPsql),
    /// Copy the migrated database for a test; print its URL
    DbClone(DbClone),
    /// Drop a copy that db-clone made
    DbDrop(DbDrop),
    /// Stop the server that db-setup started
    DbStop(DbStop),
    /// Run format, lints, build, tests and docs
    Ci(Ci),
    /// Print shell completions
    ///
    /// Commands, options and the ids of checks are completed behind `cargo xtask`. For zsh the script's directory, and that
    /// of cargo's own `_cargo`, must be in fpath before compinit runs.
    Completions(Completions),
}

/// The heading of the flags that every `db-*` command takes: its own come first.
const COMMON: &str = "Common options";

/// What every `db-*` command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Where the server comes from: auto, env, container, local [env: DB_SERVER] [default: auto]
    #[arg(help_heading = COMMON, long, value_name = "RUNG", hide_default_value = true)]
    pub(crate) server: Option<ServerChoice>,
    /// Read this file instead of the workspace's .env
    #[arg(help_heading = COMMON, long, value_name = "PATH")]
    pub(crate) env_file: Option<PathBuf>,
    /// Read no .env
    #[arg(help_heading = COMMON, long, conflicts_with = "env_file")]
    pub(crate) no_env_file: bool,
    /// Seconds to wait for a server that is starting, or has no free connection
    #[arg(help_heading = COMMON, long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) wait: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How much is said, and how it looks.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Output {
    /// Print only what is wrong
    #[arg(help_heading = COMMON, short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print each step, each statement, each check, and the migrate command's output
    #[arg(help_heading = COMMON, short, long)]
    pub(crate) verbose: bool,
    /// When to use colours
    #[arg(help_heading = COMMON, long, value_enum, default_value_t = Color::Auto)]
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
#[command(
    after_help = "Examples:\n  cargo xtask db-setup\n  cargo xtask db-setup --server local\n  cargo xtask db-setup --dry-run > setup.sql"
)]
pub(crate) struct DbSetup {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Print the whole setup as an SQL script for an administrator, and change nothing
    #[arg(long, conflicts_with_all = ["report", "format"])]
    pub(crate) dry_run: bool,
    /// Use a server of its own, which ends with this command
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) ephemeral: bool,
    /// Install PostgreSQL by the system's package manager where no other server is found
    #[arg(long)]
    pub(crate) install: bool,
    /// Change the password of a role that exists, where its login is refused
    #[arg(long)]
    pub(crate) set_password: bool,
    /// Record what lies in the schema now as what the migrations made (see db-verify --explain drift)
    #[arg(long)]
    pub(crate) accept_drift: bool,
    /// Seconds to wait for another command on the same server
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) lock_wait: u64,
    #[command(flatten)]
    pub(crate) reports: Reports,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask db-verify\n  cargo xtask db-verify --fix\n  cargo xtask db-verify --explain search-path\n  cargo xtask db-verify --format json --report junit=verify.xml"
)]
pub(crate) struct DbVerify {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Run the SQL marked `fix:`, which moves no data and drops nothing; then verify again
    #[arg(long)]
    pub(crate) fix: bool,
    /// With --fix: print that SQL, and change nothing
    #[arg(long, requires = "fix", conflicts_with_all = ["report", "format"])]
    pub(crate) dry_run: bool,
    /// Write the SQL of all findings to this file: what needs a person's decision as comments
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(crate) sql: Option<PathBuf>,
    /// Compare the schema with that of another database, or with a file of --save, and show both definitions
    #[arg(long, value_name = "URL|FILE", conflicts_with = "fix")]
    pub(crate) against: Option<String>,
    /// Write the definitions of what lies in the schema to a file, for --against
    #[arg(long, value_name = "FILE", conflicts_with = "fix")]
    pub(crate) save: Option<PathBuf>,
    /// Seconds to wait for another command on the same server
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) lock_wait: u64,
    #[command(flatten)]
    pub(crate) reports: Reports,
    /// Explain a check: meaning, causes, fixes; needs no server
    #[arg(
        long,
        value_name = "ID",
        value_parser = PossibleValuesParser::new(pg_schema::CHECKS),
        conflicts_with_all = [
            "fix", "sql", "against", "save", "lock_wait", "format", "report",
        ]
    )]
    pub(crate) explain: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask db-migrate\n  cargo xtask db-migrate -v")]
pub(crate) struct DbMigrate {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Seconds to wait for another command on the same server
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) lock_wait: u64,
    #[command(flatten)]
    pub(crate) reports: Reports,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask db-move --dry-run\n  cargo xtask db-move --prepare\n  cargo xtask db-move --from public --undo undo.sql"
)]
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
#[command(
    after_help = "Examples:\n  cargo xtask db-reset\n  cargo xtask db-reset --yes\n  cargo xtask db-reset --host db.example.org"
)]
pub(crate) struct DbReset {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) guard: Guard,
    /// Seconds to wait for another command on the same server
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) lock_wait: u64,
}

/// What a destructive command needs.
#[derive(Debug, Args)]
pub(crate) struct Guard {
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Repeat the server's name; needed where this tool did not start the server
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask db-status\n  cargo xtask db-status --format json")]
pub(crate) struct DbStatus {
    #[command(flatten)]
    pub(crate) common: Common,
    /// What stdout gets: text for people, or one JSON document
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  psql \"$(cargo xtask db-url)\"\n  cargo xtask db-url --admin\n  cargo xtask db-url --role reporting"
)]
pub(crate) struct DbUrl {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Put the search_path into the URL's options in any case
    #[arg(long)]
    pub(crate) options: bool,
    /// The administrator's connection to the maintenance database instead
    #[arg(long, conflicts_with = "options")]
    pub(crate) admin: bool,
    /// That of a role of DB_WRITE_ROLES or DB_READ_ROLES instead, without a password
    #[arg(long, value_name = "NAME", conflicts_with = "admin")]
    pub(crate) role: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  eval \"$(cargo xtask db-env)\"\n  cargo xtask db-env --github >> \"$GITHUB_ENV\"")]
pub(crate) struct DbEnv {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Print lines for $GITHUB_ENV
    #[arg(long)]
    pub(crate) github: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask db-psql\n  cargo xtask db-psql -- -c 'SELECT count(*) FROM artworks_artwork'"
)]
pub(crate) struct DbPsql {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Arguments for psql
    #[arg(last = true)]
    pub(crate) arguments: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask db-clone one\n  DATABASE_URL=$(cargo xtask db-clone one) npm test")]
pub(crate) struct DbClone {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The copy's name; its database is called DB_NAME_clone_NAME
    pub(crate) name: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask db-drop one\n  cargo xtask db-drop one --yes")]
pub(crate) struct DbDrop {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) guard: Guard,
    /// The copy's name, as it was given to db-clone
    pub(crate) name: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask db-stop\n  cargo xtask db-stop --purge")]
pub(crate) struct DbStop {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Delete its data, too
    #[arg(long)]
    pub(crate) purge: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask ci\n  cargo xtask ci --ephemeral --junit ci.xml --shard 1/2")]
pub(crate) struct Ci {
    /// Give the tests a server of its own as DATABASE_URL; it ends with this command
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Install PostgreSQL by the system's package manager where its binaries are missing
    #[arg(long)]
    pub(crate) install: bool,
    /// Write the tests' results as JUnit XML (needs cargo-nextest)
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Run part K of N of the tests; part 1 has format, lints and docs, too (needs cargo-nextest)
    #[arg(long, value_name = "K/N", default_value_t = Shard::WHOLE, hide_default_value = true)]
    pub(crate) shard: Shard,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask completions bash >> ~/.bash_completion\n  cargo xtask completions zsh > ~/.zfunc/_cargo-xtask\n  cargo xtask completions fish > ~/.config/fish/conf.d/cargo-xtask.fish"
)]
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
