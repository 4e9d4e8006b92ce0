//! Moves of 10,000 tables by renaming their schema, and of 1,000 by statements, beside the bare statements by psql.

use std::{fs, path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, bail};
use pg_config::{ConnInfo, Identifier};
use pg_workflow::expected_anywhere;

use crate::{Stage, table::Row, timed};

impl Stage {
    /// Both rows; the first on the database of 10,000 tables that is there.
    pub(crate) fn moves(&self, repeat: usize) -> anyhow::Result<Vec<Row>> {
        let public = Identifier::from_catalog("public");
        let bare = self.directory.path.join("rename.sql");
        fs::write(&bare, pg_schema::bare_rename(&public, &expected_anywhere(&self.config)))?;
        let mut by_rename = Row::new("moving 10,000 tables by rename", "both statements, the proof by psql", 1.5);
        self.make_public("")?;
        for _ in 0..repeat {
            by_rename.add(|| self.there_and_back(), || self.by_psql(&bare))?;
        }

        self.forget()?;
        timed(&mut self.program(&["db-setup", "--quiet"]))?;
        self.make_tables(0, 1_000)?;
        // Another role's table stays.
        self.make_public("CREATE TABLE public.theirs (); ALTER TABLE public.theirs OWNER TO pg_monitor")?;
        let (there, back) = (self.directory.path.join("there.sql"), self.directory.path.join("back.sql"));
        let schema = &self.config.schema.value;
        self.write_statements(&there, "public", schema.as_str())?;
        self.write_statements(&back, schema.as_str(), "public")?;
        let mut by_statements = Row::new("moving 1,000 tables by statements", "the statements alone", 1.5);
        for _ in 0..repeat {
            by_statements.add(|| self.there_and_back(), || self.by_psql(&there))?;
            self.by_psql(&back)?;
        }
        Ok(vec![by_rename, by_statements])
    }

    /// The app's schema becomes `public`, and another one is ready.
    fn make_public(&self, more: &str) -> anyhow::Result<()> {
        let schema = &self.config.schema.value;
        let sql = format!("DROP SCHEMA public; ALTER SCHEMA {schema} RENAME TO public; {more}");
        timed(self.psql(&self.inside()).args(["--command", &sql]))?;
        timed(&mut self.program(&["db-move", "--prepare", "--quiet"])).map(drop)
    }

    /// How long a move takes. What takes it back is not measured: where it was not run, a DROP SCHEMA of psql's would need
    /// a lock for each table, to say that there are some.
    fn there_and_back(&self) -> anyhow::Result<Duration> {
        let undo = self.directory.path.join("undo.sql");
        let time = timed(self.program(&["db-move", "--quiet"]).arg("--undo").arg(&undo))?;
        self.by_psql(&undo)?;
        fs::remove_file(&undo).context("remove the script that takes the move back")?;
        Ok(time)
    }

    fn by_psql(&self, script: &Path) -> anyhow::Result<Duration> {
        timed(self.psql(&self.inside()).arg("--file").arg(script).stdout(Stdio::null()))
    }

    /// A script that moves each table of the app's, in one transaction.
    fn write_statements(&self, script: &Path, from: &str, to: &str) -> anyhow::Result<()> {
        let sql = format!(
            "SELECT format('ALTER TABLE {from}.%I SET SCHEMA {to};', c.relname) FROM pg_class c \
             WHERE c.relkind = 'r' AND c.relname <> 'theirs' AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
        );
        let output = self.psql(&self.inside()).args(["--no-align", "--tuples-only", "--command", &sql]).output()?;
        if !output.status.success() {
            bail!("psql failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let statements = String::from_utf8(output.stdout).context("read the tables' names")?;
        fs::write(script, format!("BEGIN;\n{statements}COMMIT;\n")).context("keep the statements")
    }

    /// The superuser's connection to the app's database.
    fn inside(&self) -> ConnInfo {
        self.server.superuser.with_database(self.config.database.value.as_str())
    }
}
