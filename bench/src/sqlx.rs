//! A setup with nothing to do, beside that of sqlx's own command line.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use crate::{Stage, table::Row, terminal::Terminal, timed};

/// The database of the other tool.
const DATABASE: &str = "of_sqlx";

impl Stage {
    /// Nothing where sqlx-cli is not built: that is said.
    pub(crate) fn beside_sqlx(&self, repeat: usize, terminal: Terminal) -> anyhow::Result<Vec<Row>> {
        let Some(sqlx) = program().filter(|program| program.is_file()) else {
            terminal.say("skipped: sqlx is not built: run target/debug/prepare, after cargo build -p tests");
            return Ok(Vec::new());
        };
        let source = self.directory.path.join("sqlx");
        copy_migrations(&self.project.root.join("crates/aura/migrations"), &source)?;
        let set_up = || {
            let mut command = Command::new(&sqlx);
            command.args(["database", "setup", "--no-dotenv", "--source"]).arg(&source);
            command.env("DATABASE_URL", self.server.superuser.with_database(DATABASE).url());
            timed(&mut command)
        };
        let mut row = Row::new("a setup with nothing to do", "sqlx database setup", 2.0);
        timed(&mut self.program(&["db-setup", "--quiet"]))?;
        set_up()?;
        for _ in 0..repeat {
            row.add(|| timed(&mut self.program(&["db-setup", "--quiet"])), set_up)?;
        }
        Ok(vec![row])
    }
}

/// Where `prepare` has it built for the tests (`tests/src/peers.rs`): `target/peers`, beside `target/debug`.
fn program() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    Some(own.parent()?.parent()?.join("peers/debug/sqlx"))
}

/// Copies migrations under names that sqlx reads: `V1__tables.sql` is `1_tables.sql`.
fn copy_migrations(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir(to).context("make room for migrations")?;
    for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some((version, title)) = name.strip_prefix('V').and_then(|name| name.split_once("__")) else {
            bail!("{} is not called as a migration is", path.display());
        };
        fs::copy(&path, to.join(format!("{version}_{title}"))).context("copy a migration")?;
    }
    Ok(())
}
