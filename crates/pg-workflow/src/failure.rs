//! What an error of a command means: whether there is no server, and what a person does next.

use std::fmt;

use anyhow::anyhow;
use pg_config::ConnectError;
use pg_schema::{LockError, ProvisionError, SqlError, VerifyError};
use pg_server::{NoServer, Rung};

use crate::Target;

impl Target {
    /// An error of a command on this server. Where a named server does not answer, it says who named it:
    /// no other is tried in its place. Of a server that we started it names the log.
    pub fn explain(&self, error: impl Into<anyhow::Error>) -> anyhow::Error {
        self.explain_after(error.into(), None)
    }

    /// The same, of a command that had run these statements; where its connection was lost, that is said.
    pub(crate) fn explain_after(&self, error: anyhow::Error, done: Option<&[String]>) -> anyhow::Error {
        if error.is::<SilentServer>() {
            return error;
        }
        let administrator = self.access.administrator.as_ref().filter(|administrator| {
            let address = administrator.connection.address();
            address != self.access.app.address() && error.to_string().contains(&format!("at {address}"))
        });
        if let Some(administrator) = administrator.filter(|_| is_no_server(&error)) {
            let help = "correct its host, or leave the host out: then it is the app's own server";
            let how = &administrator.how;
            return SilentServer(format!(
                "{error}\n  note: this is the administrator's connection ({how})\n  help: {help}"
            ))
            .into();
        }
        if self.server.rung == Rung::Env && is_no_server(&error) {
            let help = "start it, or correct the name\n  help: or unset it: db-setup then starts a server of its own";
            return SilentServer(format!(
                "{error}\n  note: the server is {}, and no other is tried\n  help: {help}",
                self.reason
            ))
            .into();
        }
        let log = self.log();
        let (done, hint) = if is_lost(&error) {
            (done.map(|done| format!("\n  note: {}", done_before(done))), log)
        } else if connect_error(&error).is_some_and(ConnectError::is_damage) {
            let database = &self.expected.database;
            let reset = format!("drop database {database} and make it again, without its data: cargo xtask db-reset");
            (None, log.map(|log| format!("{log}\n  help: {reset}")))
        } else {
            return error;
        };
        let hint = hint.map(|hint| format!("\n  help: read its log: {hint}")).unwrap_or_default();
        anyhow!("{}{}{hint}", whole(&error), done.unwrap_or_default())
    }

    /// Where the log of a server that we started is: its file, or the command that shows it.
    fn log(&self) -> Option<String> {
        let file = self.server.local.as_ref().map(|local| local.log.display().to_string());
        file.or_else(|| {
            self.server.container.as_ref().map(|container| format!("{} logs {}", container.client, container.name))
        })
    }
}

/// An error and what led to it, in words: a sentence, and below it lines that begin with `cause:`, `note:` or `help:`.
pub fn whole(error: &anyhow::Error) -> String {
    // A type of our own tells its whole story; a cause that its wrapper repeats is not told twice.
    let mut text = String::new();
    for cause in error.chain() {
        let line = cause.to_string();
        if text.is_empty() {
            text = line;
        } else if !text.contains(&line) {
            text += &format!("\n  cause: {line}");
        }
    }
    text
}

/// A named server does not answer; in words.
#[derive(Debug)]
struct SilentServer(String);

impl fmt::Display for SilentServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SilentServer {}

/// Whether an error means that no server was found.
pub fn is_no_server(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<NoServer>() || cause.is::<SilentServer>())
        || connect_error(error).is_some_and(ConnectError::is_no_server)
}

/// What a setup has done before it failed, in words.
fn done_before(statements: &[String]) -> String {
    match statements {
        [] => "nothing was changed before".to_owned(),
        [only] => format!("done before: {only}"),
        [.., last] => format!("done before: {} statements, the last of them: {last}", statements.len()),
    }
}

/// Whether an error is that of a connection that was lost.
fn is_lost(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let sql = match (cause.downcast_ref(), cause.downcast_ref(), cause.downcast_ref()) {
            (Some(ProvisionError::Sql(error) | ProvisionError::Lock(LockError::Sql(error))), ..) => Some(error),
            (_, Some(VerifyError::Sql(error)), _) => Some(error),
            (.., Some(LockError::Sql(error))) => Some(error),
            _ => cause.downcast_ref::<SqlError>(),
        };
        sql.is_some_and(SqlError::is_lost)
    })
}

/// Why no connection came about, where that is what an error says.
fn connect_error(error: &anyhow::Error) -> Option<&ConnectError> {
    error.chain().find_map(|cause| {
        let by_setup = cause.downcast_ref().and_then(|error| match error {
            ProvisionError::Connect(error) => Some(error),
            _ => None,
        });
        let by_verification = cause.downcast_ref().and_then(|error| match error {
            VerifyError::Connect(error) => Some(error),
            VerifyError::Sql(_) => None,
        });
        cause.downcast_ref().or(by_setup).or(by_verification)
    })
}
