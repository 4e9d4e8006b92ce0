//! The container rung, beside `docker run` of the same image with the same settings.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use pg_config::{ConnInfo, Password};

use crate::{Stage, limit, table::Row, terminal::Terminal, timed};

/// What a server that is found again in a container may cost more than one that is named.
const FOUND_AGAIN: Duration = Duration::from_millis(150);

impl Stage {
    /// Nothing where there is no engine with the image: that is said.
    pub(crate) fn containers(&self, repeat: usize, terminal: Terminal) -> anyhow::Result<Vec<Row>> {
        let image = &self.config.image.value;
        let inspect = Command::new("docker").args(["image", "inspect", image]).output();
        if !inspect.is_ok_and(|found| found.status.success()) {
            terminal.say(&format!("skipped: no Docker engine has the image {image} (POSTGRES_IMAGE)"));
            return Ok(Vec::new());
        }
        let data_dir = self.directory.path.join("containers");
        let outcome = self.measure(repeat, &data_dir);
        let purged = timed(self.contained(&data_dir, &["db-stop", "--purge", "--yes"]).arg("--quiet"));
        let rows = outcome?;
        purged?;
        Ok(rows)
    }

    fn measure(&self, repeat: usize, data_dir: &Path) -> anyhow::Result<Vec<Row>> {
        let mut fresh = Row::new("a container with nothing there", "docker run, a setup on it", 1.3);
        // The helper program is built, and the migrate command.
        timed(&mut self.contained(data_dir, &["db-setup", "--quiet"]))?;
        for _ in 0..repeat {
            fresh.add(
                || {
                    timed(&mut self.contained(data_dir, &["db-stop", "--purge", "--yes", "--quiet"]))?;
                    timed(&mut self.contained(data_dir, &["db-setup", "--quiet"]))
                },
                || self.docker_run(),
            )?;
        }
        let mut found = Row::new("a container that is found again", "a named server, + 150 ms", 1.0);
        timed(&mut self.program(&["db-setup", "--quiet"]))?;
        for _ in 0..repeat {
            found.add(
                || timed(&mut self.contained(data_dir, &["db-setup", "--quiet"])),
                || Ok(timed(&mut self.program(&["db-setup", "--quiet"]))? + FOUND_AGAIN),
            )?;
        }
        Ok(vec![fresh, found])
    }

    /// The program, where only a container may serve.
    fn contained(&self, data_dir: &Path, arguments: &[&str]) -> Command {
        let mut command = self.program(arguments);
        command.env_remove("DATABASE_URL").env_remove("ADMIN_DATABASE_URL");
        command.env("DB_SERVER", "container").env("DB_DATA_DIR", data_dir);
        command
    }

    /// `docker run` to the first answer, and the setup on the server that then runs.
    fn docker_run(&self) -> anyhow::Result<Duration> {
        let name = format!("{}-bench-{}", self.project.name, std::process::id());
        let superuser = Password::generate();
        let settings = limit::SETTINGS.iter().flat_map(|setting| ["-c", setting]);
        let started = Instant::now();
        let mut docker = Command::new("docker");
        // The value goes by the environment, and not by the command line.
        docker.env("POSTGRES_PASSWORD", superuser.reveal()).args(["run", "--detach", "--name", &name]);
        docker.args(["--env", "POSTGRES_PASSWORD", "--publish", "127.0.0.1::5432", &self.config.image.value]);
        timed(docker.arg("postgres").args(settings))?;
        let outcome = self.set_up(&name, superuser, started);
        timed(Command::new("docker").args(["rm", "--force", "--volumes", &name]))?;
        outcome
    }

    fn set_up(&self, name: &str, superuser: Password, started: Instant) -> anyhow::Result<Duration> {
        let port = Command::new("docker").args(["port", name, "5432"]).output().context("run docker port")?;
        let port =
            String::from_utf8_lossy(&port.stdout).lines().next().and_then(|line| line.rsplit_once(':')?.1.parse().ok());
        let Some(port) = port else { bail!("docker published no port of {name}") };
        let answered = limit::wait_for_answer(port, started)?;
        let at = |connection: ConnInfo| ConnInfo { port, ..connection };
        let superuser = ConnInfo { password: Some(superuser), ..at(self.server.superuser.clone()) };
        let mut setup = self.program(&["db-setup", "--quiet"]);
        setup.env("DATABASE_URL", at(self.app()).url()).env("ADMIN_DATABASE_URL", superuser.url());
        Ok(answered + timed(&mut setup)?)
    }
}
