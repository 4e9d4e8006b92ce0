//! Why nothing was moved.

use pg_config::Identifier;
use thiserror::Error;

use super::plan::{Plan, PlanError};
use crate::sql_error::SqlError;

/// Why nothing was moved.
#[derive(Debug, Error)]
pub enum MoveError {
    /// There is no plan.
    #[error(transparent)]
    Plan(PlanError),
    /// Something must be settled first.
    #[error("{}", refused(.0, *.1))]
    Refused(Box<Plan>, bool),
    /// Others held locks for too long.
    #[error(
        "others held locks on {from} for longer than {tries} tries of the move; nothing was moved{holders}\n  help: end them, or run the command again when less is going on"
    )]
    Locked {
        /// The schema.
        from: Identifier,
        /// How often it was tried.
        tries: u32,
        /// Who held them, a line each.
        holders: String,
    },
    /// A table that was to be dropped has rows by now.
    #[error(
        "table {0} is not empty, or could not be read; nothing was moved\n  help: look at it, and run the command again"
    )]
    NotEmpty(String),
    /// What was moved is not what it was.
    #[error(
        "the move was taken back before it was committed; nothing was moved\n  cause: something had changed by it: {0}\n  help: this should not happen: please report it"
    )]
    Different(String),
    /// What is wanted before the commit did not come about.
    #[error("{0}; nothing was moved")]
    Before(String),
    /// The answer to COMMIT was lost.
    #[error(
        "{error}\n  note: whether it was committed is not known\n  help: cargo xtask db-move --dry-run shows what lies where"
    )]
    Unknown {
        /// What was lost.
        error: SqlError,
    },
    /// A statement failed; the transaction was rolled back.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// All that stands against it.
fn refused(plan: &Plan, allow_broken: bool) -> String {
    let mut text = format!("{} cannot be moved to {} yet; nothing was moved", plan.from, plan.to);
    let breaks = plan.breaks.iter().filter(|_| !allow_broken);
    for finding in plan.in_the_way.iter().chain(breaks) {
        text += &format!("\n  {}\n    help: {}", finding.what, finding.help);
    }
    text
}

impl From<PlanError> for MoveError {
    /// What a statement fails with is the same, whoever ran it.
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Sql(error) => Self::Sql(error),
            error => Self::Plan(error),
        }
    }
}
