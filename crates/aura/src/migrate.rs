//! Applies the migrations of `migrations/` to the current schema, and says what is applied.
//!
//! refinery does the bookkeeping. What it leaves open is closed here: a migration and its row are one transaction
//! (`set_grouped`, one target at a time), runs at the same time wait for each other, and nothing goes to a schema that
//! is not the application's.

use std::time::Duration;

use postgres::Client;
use refinery::{Migration, Runner, Target};

use crate::adopt::{self, Found};
use crate::definitions::Difference;
use crate::error::{Error, Result};
use crate::history::{self, Entry, State};
use crate::lock;
use crate::place::{self, Place};

mod embedded {
    //! `migrations::runner()`: every file of `migrations/`, as it was when the crate was compiled.
    refinery::embed_migrations!("migrations");
}

/// What happens while migrating, as it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Another run has the lock: the session that holds it.
    Waiting(String),
    /// This migration was applied: `V1__tables`.
    Applied(String),
    /// The tables of this migration were there, exactly as it makes them: it was recorded as applied.
    Adopted(String),
}

/// The migrations of a schema.
#[derive(Clone, Debug)]
pub struct Status {
    /// Where they are.
    pub place: Place,
    /// Each one, by version.
    pub entries: Vec<Entry>,
    /// Where the tables are not as the applied migrations made them: a migration is not applied again, whatever became of
    /// its tables. Empty where that could not be looked at, as on a standby.
    pub differences: Vec<Difference>,
}

impl Status {
    /// All are applied, nothing else was, and all that they made is there. What is there besides does not count.
    pub fn is_complete(&self) -> bool {
        self.entries.iter().all(|entry| matches!(entry.state, State::Applied(_)))
            && self.differences.iter().all(|difference| difference.expected.is_none())
    }
}

/// Applies what is pending, and returns what is then there.
///
/// The connection's search_path says where: its first schema, never `public`. Each migration and its row in
/// `refinery_schema_history` are one transaction, so that an error or a killed process leaves whole migrations.
/// `lock_wait` is how long another run is waited for; `tell` hears of each step.
pub fn migrate(client: &mut Client, lock_wait: Duration, tell: &mut dyn FnMut(Progress)) -> Result<Status> {
    let place = place::find(client)?;
    lock::acquire(client, &place, lock_wait, &mut |holder| tell(Progress::Waiting(holder)))?;
    let done = apply(client, place, tell);
    lock::release(client);
    done
}

/// The same under the lock.
fn apply(client: &mut Client, place: Place, tell: &mut dyn FnMut(Progress)) -> Result<Status> {
    let mut runner = embedded::migrations::runner().set_grouped(true);
    let migrations = by_version(&runner);
    let entries = history::read(client, &place, &migrations)?;
    history::check(&place, &entries)?;
    for (index, migration) in migrations.iter().enumerate() {
        if entries.iter().any(|entry| entry.version == migration.version() && entry.state != State::Pending) {
            continue;
        }
        let (label, sql) = (migration.to_string(), migration.sql().unwrap_or_default());
        // Only the first can find its tables made by another program: the next build on it.
        let adopt = index == 0 && adoptable(client, &place, &label, sql)?;
        let version = migration.version();
        runner = runner.set_target(if adopt { Target::FakeVersion(version) } else { Target::Version(version) });
        runner.run(client).map_err(|cause| Error::migration(label.clone(), sql, cause))?;
        tell(if adopt { Progress::Adopted(label) } else { Progress::Applied(label) });
    }
    if entries.iter().all(|entry| entry.state != State::Pending) {
        return look(client, place, &migrations);
    }
    // What was made a moment ago is there.
    let entries = history::read(client, &place, &migrations)?;
    Ok(Status { place, entries, differences: Vec::new() })
}

/// What is applied and what is not, and what of it is no more. Changes nothing, and does not wait for another migration.
pub fn status(client: &mut Client) -> Result<Status> {
    let place = place::find(client)?;
    look(client, place, &by_version(&embedded::migrations::runner()))
}

fn look(client: &mut Client, place: Place, migrations: &[Migration]) -> Result<Status> {
    let entries = history::read(client, &place, migrations)?;
    let is_applied = |migration: &&Migration| {
        entries.iter().any(|entry| entry.version == migration.version() && matches!(entry.state, State::Applied(_)))
    };
    let applied: Vec<_> = migrations.iter().filter(is_applied).filter_map(Migration::sql).collect();
    let mut differences = adopt::differences(client, &place, &applied).unwrap_or_default();
    // Columns that were added later come last, whatever the order of the files.
    differences.retain(|difference| difference.object != "order of columns");
    Ok(Status { place, entries, differences })
}

/// Whether the migration's tables are there as it makes them, so that it has only to be recorded.
fn adoptable(client: &mut Client, place: &Place, label: &str, sql: &str) -> Result<bool> {
    match adopt::look(client, place, sql)? {
        Found::Nothing => Ok(false),
        Found::All => Ok(true),
        Found::Differing(differences) => {
            Err(Error::Differs { migration: label.to_owned(), schema: place.schema.clone(), differences })
        }
    }
}

fn by_version(runner: &Runner) -> Vec<Migration> {
    let mut migrations = runner.get_migrations().clone();
    migrations.sort();
    migrations
}

#[cfg(test)]
mod tests {
    use refinery::Migration;

    use super::{by_version, embedded};
    use crate::adopt::tables_of;

    fn migrations() -> Vec<Migration> {
        by_version(&embedded::migrations::runner())
    }

    /// The words of a migration, without its comments and its string literals.
    fn words(migration: &Migration) -> Vec<String> {
        let sql: String =
            migration.sql().unwrap().lines().map(|line| format!("{}\n", line.split("--").next().unwrap())).collect();
        let code: String = sql.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
        code.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn versions_run_from_one_without_gaps() {
        let names: Vec<String> = migrations().iter().map(ToString::to_string).collect();
        for (index, name) in names.iter().enumerate() {
            assert!(name.starts_with(&format!("V{}__", index + 1)), "{names:?}");
        }
    }

    #[test]
    fn names_are_unqualified_and_the_search_path_is_left_alone() {
        for migration in migrations() {
            for word in words(&migration) {
                let word = word.to_lowercase();
                // A dot is a column of one of the statement's own aliases, never a schema.
                let alias =
                    word.split(['(', '.']).rev().nth(1).is_some_and(|alias| ["present", "usual"].contains(&alias));
                assert!(!word.contains('.') || alias, "{migration}: {word}");
                assert!(!["schema", "search_path", "extension"].contains(&word.as_str()), "{migration}: {word}");
            }
        }
    }

    #[test]
    fn a_migration_leaves_its_transaction_to_refinery() {
        for migration in migrations() {
            for word in words(&migration) {
                let word = word.trim_end_matches(';').to_uppercase();
                let ends = ["BEGIN", "COMMIT", "ROLLBACK", "END", "CONCURRENTLY", "VACUUM"].contains(&word.as_str());
                assert!(!ends, "{migration}: {word}");
            }
        }
    }

    #[test]
    fn the_first_migration_makes_24_tables() {
        let migrations = migrations();
        let sql = migrations[0].sql().unwrap();
        assert_eq!(tables_of(sql).len(), 24);
        assert_eq!(words(&migrations[0]).iter().filter(|word| *word == "TABLE").count(), 24);
    }

    #[test]
    fn the_lists_are_long_and_say_nothing_twice() {
        let migrations = migrations();
        let sql = migrations[1].sql().unwrap().replace("''", "’");
        let lists: Vec<Vec<String>> = sql
            .split("unnest(ARRAY[")
            .skip(1)
            .map(|list| list.split(']').next().unwrap())
            .map(|list| list.split('\'').skip(1).step_by(2).map(str::to_lowercase).collect())
            .collect();
        assert_eq!(lists.len(), 3);
        for (list, least) in lists.iter().zip([15, 40, 60]) {
            assert!(list.len() >= least, "{list:?}");
            assert_eq!(list.iter().collect::<std::collections::BTreeSet<_>>().len(), list.len(), "{list:?}");
            assert!(list.iter().all(|name| name.chars().count() <= 100), "{list:?}");
        }
    }
}
