//! The exit codes of the contract.

use std::{fmt, process::ExitCode};

use pg_config::ConnectError;
use pg_schema::{ProvisionError, VerifyError};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 0: all is well; warnings alone too.
    Well,
    /// 1: an error.
    Error,
    /// 3: the checks found something.
    Found,
    /// 4: no server could be had.
    NoServer,
}

/// A named server does not answer; in words.
#[derive(Debug)]
pub(crate) struct SilentServer(pub(crate) String);

impl fmt::Display for SilentServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SilentServer {}

impl Outcome {
    /// The outcome that an error stands for.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let is_no_server = error.chain().any(|cause| {
            cause.is::<pg_server::NoServer>()
                || cause.is::<SilentServer>()
                || cause.downcast_ref().is_some_and(ConnectError::is_no_server)
                || matches!(cause.downcast_ref(), Some(ProvisionError::Connect(error)) if error.is_no_server())
                || matches!(cause.downcast_ref(), Some(VerifyError::Connect(error)) if error.is_no_server())
        });
        if is_no_server { Self::NoServer } else { Self::Error }
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
