//! A dump of the whole database before anything is changed.

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

use crate::{Context, Target};

/// Runs pg_dump by the administrator's connection, where one was named, or else by the app's own.
pub(super) fn dump(context: &Context, target: &Target, path: &Path) -> anyhow::Result<()> {
    let access = &target.access;
    let named = access.administrator.as_ref().map(|administrator| &administrator.connection);
    let connection = named.unwrap_or(&access.app).with_database(target.expected.database.as_str());
    // The started server's own is of the right version.
    let beside = target.server.local.as_ref().map(|local| local.bin_dir.join("pg_dump")).filter(|path| path.exists());
    let program = beside.unwrap_or_else(|| PathBuf::from("pg_dump"));
    let mut command = Command::new(&program);
    for (key, _) in context.environment.process_variables().filter(|(key, _)| key.starts_with("PG")) {
        command.env_remove(key);
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.with_context(|| format!("write {}", path.display()))?;
    let output = command
        .arg("--format=custom")
        .envs(connection.libpq_environment())
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("run {} (Debian's package postgresql-client has it)", program.display()))?;
    if !output.status.success() {
        let _ = std::fs::remove_file(path);
        let words = String::from_utf8_lossy(&output.stderr);
        let words: String = words.lines().take(5).map(|line| format!("\n  | {line}")).collect();
        bail!("the database was not dumped ({}), and nothing was moved{words}", output.status);
    }
    Ok(())
}
