//! Moving what lies in another schema into the app's: planned from the catalog alone, done in one transaction, and
//! proved before it is committed.
//!
//! ```text
//! Plan::read → move_all (each try: read again, move, prove, commit) → look (by the app's own login)
//! ```
//!
//! There are two ways. The schema is renamed where all that it holds moves: no table is locked. Elsewhere each object is
//! moved by a statement of its own.

mod broken;
mod error;
mod grants;
mod item;
mod look;
mod obstacles;
mod plan;
mod proof;
mod rename;
mod replaced;
mod rewrite;
mod run;
mod select;
mod statements;
mod text;
mod undo;
mod users;

use pg_config::Identifier;

pub use self::{
    error::MoveError,
    item::Item,
    look::{Look, look_after, look_before},
    plan::{Plan, PlanError},
    proof::bare_rename,
    rewrite::Rewrite,
    run::{Moved, Surroundings, move_all, take_back},
    undo::{is_of_nothing, script as undo_script},
};

/// What is to be moved, and what may be done for it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The schema that is left.
    pub from: Identifier,
    /// The search_path that the app's connection asks for itself; none: the one that the setup stores.
    pub path: Option<String>,
    /// Patterns of names: only these move. None: all.
    pub only: Vec<String>,
    /// Patterns of names that stay.
    pub except: Vec<String>,
    /// Whether objects of roles that have nothing to do with the app move, too.
    pub all_owners: bool,
    /// Whether empty tables of the app's schema make room for those that move.
    pub replace_empty: bool,
    /// Whether bodies of functions that name the old schema are rewritten.
    pub rewrite_functions: bool,
    /// Whether others that replicate the tables by their names are no reason to stop.
    pub move_publications: bool,
    /// Whether what would break is no reason to stop.
    pub allow_broken: bool,
}

/// What must be known before, and what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was found.
    pub what: String,
    /// What to do.
    pub help: String,
}

/// How it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The schema is renamed.
    Rename,
    /// A statement for each object.
    Statements,
}

/// Locks that a transaction holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Locks {
    /// How many are needed.
    pub needed: i64,
    /// How many the server can hold, for all sessions together.
    pub of_server: i64,
}

/// The command that moves what lies in a schema, as it is typed in a shell.
pub fn command(from: &Identifier) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    match from.as_str() {
        "public" => "cargo xtask db-move".to_owned(),
        name if name.chars().all(is_plain) => format!("cargo xtask db-move --from {name}"),
        name => format!("cargo xtask db-move --from '{}'", name.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_schemas_name() {
        let command = |name: &str| command(&Identifier::from_catalog(name));
        assert_eq!(command("public"), "cargo xtask db-move");
        assert_eq!(command("aura_old"), "cargo xtask db-move --from aura_old");
        assert_eq!(command("It's"), r"cargo xtask db-move --from 'It'\''s'");
    }
}
