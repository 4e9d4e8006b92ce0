//! `db-stop`: stops the server that db-setup started.

use anyhow::bail;
use pg_config::Project;
use pg_server::Say;
use pg_workflow::{Voice as _, container_settings, engine_settings, helper};

use crate::{cli::DbStop, invocation::Invocation, outcome::Outcome, terminal::Terminal};

impl DbStop {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Invocation::new(project, &self.common)?;
        let (terminal, data_dir) = (context.terminal, &context.config.data_dir.value);
        if self.purge {
            if !self.yes && !Terminal::can_ask() {
                bail!("cannot delete {} without a yes\n  help: add --yes", data_dir.display());
            }
            let question = format!("delete every server in {} and all data?", data_dir.display());
            if !self.yes && !terminal.confirm(&question) {
                terminal.say("nothing deleted");
                return Ok(Outcome::Error);
            }
        }
        let stop = if self.purge { pg_server::purge } else { pg_server::stop };
        let engine = engine_settings(&context.environment);
        let build = |say: Say<'_>| helper::build(&context, say);
        let containers = container_settings(&context, &engine, &build);
        let _progress = terminal.progress();
        let stopped = stop(data_dir, &containers, context.wait, &mut |line| terminal.say(line))?;
        for server in &stopped {
            terminal.say(&format!("stopped {server}"));
        }
        if stopped.is_empty() {
            terminal.say("no server of this workspace was running");
        }
        if self.purge {
            terminal.say(&format!("deleted what was kept in {}", data_dir.display()));
        }
        Ok(Outcome::Well)
    }
}
