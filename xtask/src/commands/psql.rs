//! `db-psql`: psql on the app's database. The password goes by the environment: the process list shows none.

use std::{os::unix::process::CommandExt, path::PathBuf, process::Command};

use anyhow::Context as _;
use pg_config::Project;
use pg_server::Mode;

use super::url::app_connection;
use crate::{cli::DbPsql, context::Context, outcome::Outcome, server::Target};

impl DbPsql {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Context::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Find)?;
        // The started server's own psql is the right version, and there even where PATH has none.
        let beside = target.server.local.as_ref().map(|local| local.bin_dir.join("psql")).filter(|path| path.exists());
        let program = beside.unwrap_or_else(|| PathBuf::from("psql"));
        let mut command = Command::new(&program);
        for (key, _) in context.environment.process_variables().filter(|(key, _)| key.starts_with("PG")) {
            // Those that say how psql behaves stay; those that say where it goes are replaced below.
            if !["PGAPPNAME", "PGTZ", "PGDATESTYLE", "PGGEQO", "PGCLIENTENCODING"].contains(&key) {
                command.env_remove(key);
            }
        }
        // What a pooler in between refuses is left out where the server's own settings do as well.
        let app = app_connection(&context, &target, false)?;
        let error = command.envs(app.libpq_environment()).args(&self.arguments).exec();
        Err(error).with_context(|| format!("run {} (Debian's package postgresql-client has it)", program.display()))
    }
}
