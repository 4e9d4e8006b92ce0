//! The program: `aura migrate` and `aura status`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use pg_connect::{Surroundings, shown};
use postgres::Client;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::connect::connect_around;
use crate::definitions::Difference;
use crate::error::{Error, Result};
use crate::history::{Entry, State};
use crate::migrate::{self, Progress, Status};

/// The data layer of Aura: its tables in PostgreSQL.
///
/// The environment variable DATABASE_URL names the database. The tables go to the first schema of the connection's
/// search_path, which must exist and must not be public.
#[derive(Parser)]
#[command(name = "aura", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 all is well; 1 an error; 2 usage; 3 status: not every migration is applied as \
                          this program has it, or what they made is missing or changed.";

#[derive(Subcommand)]
enum Command {
    /// Apply the migrations that are pending
    ///
    /// Each one and its row in refinery_schema_history are one transaction; runs at the same time wait for each other.
    /// Where the tables of the first migration exist already, exactly as it makes them, it is recorded as applied;
    /// where they differ, every difference is listed and nothing is changed.
    Migrate {
        /// How long to wait for another run
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        lock_wait: u64,
    },
    /// List the migrations: applied, pending, or changed, missing, skipped where the database's record and this
    /// program do not agree; and what of the tables is not as the applied migrations made it. Changes nothing
    #[command(after_help = EXIT_CODES)]
    Status {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A line for each migration
    Text,
    /// One document: {"version":1,"database","schema","migrations":[{"version","name","state","applied_at"}],"differences":[{"table","object","expected","found"}]}
    Json,
}

/// Runs the program with the arguments and the environment of this process.
///
/// Results go to stdout, everything else to stderr. Exit codes: 0, all is well; 1, an error; 2, usage; 3, `status`
/// found a migration that is not applied, or not as this program has it.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads any more is no failure.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let around = Surroundings { variable: &variable, home: pg_connect::home(variable("HOME").map(Into::into)) };
    let connected = database_url().and_then(|url| {
        connect_around(&url, &around, &mut |remark| {
            tell(&format!("warning: {remark}"));
        })
    });
    let done = connected.and_then(|mut client| match cli.command {
        Command::Migrate { lock_wait } => run_migrate(&mut client, Duration::from_secs(lock_wait)),
        Command::Status { format } => run_status(&mut client, format),
    });
    done.unwrap_or_else(|error| {
        tell(&format!("error: {error}"));
        ExitCode::FAILURE
    })
}

/// libpq's own variables; [`database_url`] has made sure that they are text.
#[expect(clippy::disallowed_methods, reason = "the program reads its environment here and below, and nowhere else")]
fn variable(key: &str) -> Option<String> {
    std::env::var(key).ok()
}

#[expect(clippy::disallowed_methods, reason = "a value that is no text must not pass for none")]
fn database_url() -> Result<String> {
    use std::env::VarError::{NotPresent, NotUnicode};
    let is_libpqs = |key: &str| key.starts_with("PG");
    if let Some((key, _)) = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value)))
        .find(|(key, value)| is_libpqs(key) && value.to_str().is_none())
    {
        return Err(Error::Url(format!("beside it {key} is not UTF-8: correct or unset it")));
    }
    match std::env::var("DATABASE_URL") {
        Ok(url) if url.trim().is_empty() => Err(Error::NoUrl),
        Ok(url) => Ok(url),
        Err(NotPresent) => Err(Error::NoUrl),
        Err(NotUnicode(_)) => Err(Error::Url("it is not UTF-8; write other bytes as %XX".to_owned())),
    }
}

fn run_migrate(client: &mut Client, lock_wait: Duration) -> Result<ExitCode> {
    let mut steps = 0;
    let status = migrate::migrate(client, lock_wait, &mut |progress| match progress {
        Progress::Waiting(holder) => {
            tell(&format!("another migrate run is under way, waiting for it: {holder}"));
        }
        Progress::Applied(migration) => {
            steps += 1;
            say(&format!("{migration}: applied"));
        }
        Progress::Adopted(migration) => {
            steps += 1;
            say(&format!("{migration}: its tables are there already, exactly as it makes them; recorded as applied"));
        }
    })?;
    let Status { place, entries, differences } = &status;
    for difference in differences {
        tell(&format!("warning: {difference}: no migration is applied again"));
    }
    if steps == 0 {
        let schema = shown(&place.schema, "");
        say(&format!("nothing to do: schema {schema} has all {} migrations", entries.len()));
    }
    Ok(ExitCode::SUCCESS)
}

fn run_status(client: &mut Client, format: Format) -> Result<ExitCode> {
    let status = migrate::status(client)?;
    say(&match format {
        Format::Text => shown(&text(&status), "\n"),
        Format::Json => json(&status),
    });
    Ok(if status.is_complete() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn text(status: &Status) -> String {
    let mut lines = vec![format!("schema {} of database {}", status.place.schema, status.place.database)];
    let width = status.entries.iter().map(|entry| entry.label().len()).max().unwrap_or_default();
    for entry in &status.entries {
        let (word, at) = state(entry);
        let line = format!("{:width$}  {word:8} {}", entry.label(), at.unwrap_or_default());
        lines.push(line.trim_end().to_owned());
    }
    lines.extend(status.differences.iter().map(|difference| format!("not as migrated: {difference}")));
    lines.join("\n")
}

fn json(status: &Status) -> String {
    let migrations = status.entries.iter().map(|entry| {
        let (word, at) = state(entry);
        json!({ "version": entry.version, "name": entry.name, "state": word, "applied_at": at })
    });
    let differences = status.differences.iter().map(|difference| {
        let Difference { table, object, expected, found } = difference;
        json!({ "table": table, "object": object, "expected": expected, "found": found })
    });
    json!({
        "version": 1,
        "differences": differences.collect::<Vec<_>>(),
        "database": status.place.database,
        "schema": status.place.schema,
        "migrations": migrations.collect::<Vec<_>>(),
    })
    .to_string()
}

/// The state's word and, where it was applied, when: RFC 3339 to the second.
fn state(entry: &Entry) -> (&'static str, Option<String>) {
    let (word, at) = match entry.state {
        State::Applied(at) => ("applied", Some(at)),
        State::Pending => ("pending", None),
        State::Changed(at) => ("changed", Some(at)),
        State::Missing(at) => ("missing", Some(at)),
        State::Skipped => ("skipped", None),
    };
    (word, at.and_then(seconds))
}

fn seconds(at: OffsetDateTime) -> Option<String> {
    at.replace_nanosecond(0).ok()?.format(&Rfc3339).ok()
}

/// Lines on stderr. The server and others have a part in the words: they must not steer the screen.
fn tell(words: &str) {
    let _ = writeln!(io::stderr(), "{}", shown(words, "\t\n"));
}

/// A line on stdout. A reader that has gone (`| head`) does not stop a migration.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
