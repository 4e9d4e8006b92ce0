//! `db-psql`: psql on the app's database. The password goes by the environment: the process list shows none.

use std::{
    io::{self, ErrorKind, IsTerminal},
    os::unix::process::CommandExt,
    process::Command,
};

use anyhow::{Context as _, bail};
use pg_config::{ConnInfo, Host, Project};
use pg_server::{Container, Mode};
use pg_workflow::Target;

use super::url::app_connection;
use crate::{cli::DbPsql, invocation::Invocation, outcome::Outcome};

/// The port of every image's server, inside.
const PORT: u16 = 5432;

impl DbPsql {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Invocation::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Find)?;
        let program = target.client_program("psql");
        let mut command = Command::new(&program);
        for (key, _) in context.environment.process_variables().filter(|(key, _)| key.starts_with("PG")) {
            // Those that say how psql behaves stay; those that say where it goes are replaced below.
            if !["PGAPPNAME", "PGTZ", "PGDATESTYLE", "PGGEQO", "PGCLIENTENCODING"].contains(&key) {
                command.env_remove(key);
            }
        }
        // What a pooler in between refuses is left out where the server's own settings do as well.
        let app = app_connection(&context, &target, false)?;
        let mut error = command.envs(app.libpq_environment()).args(&self.arguments).exec();
        if let Some(container) = target.server.container.as_ref().filter(|_| error.kind() == ErrorKind::NotFound) {
            error = inside(container, &app).args(&self.arguments).exec();
        }
        match error.kind() {
            ErrorKind::NotFound => {
                bail!(
                    "psql not found\n  help: install PostgreSQL's client, on Debian and Ubuntu: apt-get install postgresql-client"
                )
            }
            _ => Err(error).with_context(|| format!("cannot run {}", program.display())),
        }
    }
}

/// The psql of the server's own image, where this machine has none. Docker takes the variables from its environment.
fn inside(container: &Container, app: &ConnInfo) -> Command {
    let mut docker = Command::new("docker");
    docker.args(["exec", "--interactive"]);
    for (key, value) in &container.environment {
        match value {
            Some(value) => docker.env(key, value),
            None => docker.env_remove(key),
        };
    }
    if io::stdin().is_terminal() {
        docker.arg("--tty");
    }
    let app = ConnInfo { host: Host::Tcp("127.0.0.1".to_owned()), port: PORT, ..app.clone() };
    for (key, value) in app.libpq_environment() {
        docker.args(["--env", key]).env(key, value);
    }
    docker.args([&container.name, "psql"]);
    docker
}
