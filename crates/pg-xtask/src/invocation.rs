//! What every `db-*` command begins with: the environment read, the configuration resolved.

use std::{ops::Deref, sync::Arc, time::Duration};

use anyhow::Context as _;
use pg_config::{Config, EnvFile, Environment, Project};

use crate::{cli::Common, configuration, terminal::Terminal};

/// What the steps of a setup begin with, and where a command speaks.
pub(crate) struct Invocation {
    pub(crate) terminal: Terminal,
    setup: pg_workflow::Context,
}

impl Deref for Invocation {
    type Target = pg_workflow::Context;

    fn deref(&self) -> &pg_workflow::Context {
        &self.setup
    }
}

impl Invocation {
    /// Reads the configuration, and tells what of it is ignored; with `-v` all of it.
    pub(crate) fn new(project: &Project, common: &Common) -> anyhow::Result<Self> {
        let invocation = Self::read(project, common)?;
        let (terminal, config) = (invocation.terminal, &invocation.config);
        for (name, value, source) in configuration::rows(config, &config.migrations.written) {
            terminal.detail(&format!("{name}: {value} ({source})"));
        }
        for ignored in &config.ignored {
            terminal.say(&format!("ignored: {ignored}"));
        }
        for unused in &config.unused {
            terminal.detail(&format!("ignored: {unused}"));
        }
        Ok(invocation)
    }

    /// The same for a command that prints the configuration itself.
    pub(crate) fn read(project: &Project, common: &Common) -> anyhow::Result<Self> {
        let wait = Duration::from_secs(common.wait);
        let file = match &common.env_file {
            Some(path) => EnvFile::At(path.clone(), wait),
            None if common.no_env_file => EnvFile::Ignored,
            None => EnvFile::Default(wait),
        };
        let environment = Environment::read(project, &file)?;
        let terminal = Terminal::new(common.output, &environment);
        let config = Config::resolve(project, &environment, common.server).context("the configuration is wrong")?;
        for misspelled in &config.misspelled {
            terminal.warn(misspelled);
        }
        Ok(Self { terminal, setup: pg_workflow::Context { environment, config, voice: Arc::new(terminal), wait } })
    }
}
