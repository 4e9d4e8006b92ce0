//! A dump of the whole database before anything is changed.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

use super::files::NewFile;
use crate::{Context, Target};

/// Runs pg_dump by the administrator's connection, where one was named, or else by the app's own.
pub(super) fn dump(context: &Context, target: &Target, path: &Path) -> anyhow::Result<()> {
    let access = &target.access;
    let named = access.administrator.as_ref().map(|administrator| &administrator.connection);
    let connection = named.unwrap_or(&access.app).with_database(target.expected.database.as_str());
    let program = target.client_program("pg_dump");
    let mut command = Command::new(&program);
    for (key, _) in context.environment.process_variables().filter(|(key, _)| key.starts_with("PG")) {
        command.env_remove(key);
    }
    let (new, file) = NewFile::create(path)?;
    let output = command
        .arg("--format=custom")
        .envs(connection.libpq_environment())
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(Stdio::piped())
        .output()
        .with_context(|| {
            format!("cannot run {}\n  help: on Debian and Ubuntu: apt-get install postgresql-client", program.display())
        })?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let words: String = words.lines().take(5).map(|line| format!("\n  | {line}")).collect();
        bail!("the database was not dumped ({}); nothing was moved{words}", output.status);
    }
    new.keep();
    Ok(())
}
