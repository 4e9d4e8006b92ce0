//! The exit codes of the contract.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 0: all is well; warnings alone too.
    Well,
    /// 1: an error.
    Error,
    /// 3: the checks found something.
    Found,
    /// 4: no server was found.
    NoServer,
}

impl Outcome {
    /// The outcome that an error stands for.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if pg_workflow::is_no_server(error) { Self::NoServer } else { Self::Error }
    }

    /// The outcome of a verification.
    pub(crate) fn of_report(report: &pg_schema::Report) -> Self {
        if report.is_clean() { Self::Well } else { Self::Found }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Well => 0,
            Outcome::Error => 1,
            Outcome::Found => 3,
            Outcome::NoServer => 4,
        })
    }
}
