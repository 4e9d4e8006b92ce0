//! The programs of PostgreSQL: what they are run with.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use super::user::Account;

/// Has a command run with nothing of ours: no `PG*`, no cargo variables, no terminal.
///
/// English messages are told apart by their words; UTC spares `initdb` the search for the time zone,
/// and is what the container has too.
pub(crate) fn scrub(command: &mut Command) {
    command
        .env_clear()
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .current_dir("/")
        .stdin(Stdio::null());
}

/// A command that is scrubbed.
pub(crate) fn scrubbed(program: &Path) -> Command {
    let mut command = Command::new(program);
    scrub(&mut command);
    command
}

/// The same, run by the user whom servers run as.
pub(crate) fn command(program: &Path, account: &Account) -> Command {
    let mut command = scrubbed(program);
    account.apply(&mut command);
    command
}
