//! `db-reset`: replaces the app's database by a new one that is set up.

use std::time::Duration;

use anyhow::bail;
use pg_config::Project;
use pg_server::Mode;
use pg_setup::Target;

use crate::{
    cli::{DbReset, Guard},
    invocation::Invocation,
    outcome::Outcome,
    report::Reporting,
};

impl DbReset {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Invocation::new(project, &self.common)?;
        let reporting = Reporting::as_text("db-reset");
        let target = Target::find(&context, Mode::Start)?;
        pg_schema::refuse_servers_own(&target.expected)?;
        let lock_wait = Duration::from_secs(self.lock_wait);
        let database = &target.expected.database;
        check_guard(&context, &target, &self.guard, &format!("drop database {database}"))?;
        let verdict = pg_setup::reset(&context, &target, lock_wait).map_err(|error| target.explain(error))?;
        Ok(reporting.conclude(&context, &target, &verdict))
    }
}

/// What must be said before anything is destroyed: a yes, and on a server that we did not start its
/// name too (a tunnel looks like localhost).
pub(super) fn check_guard(context: &Invocation, target: &Target, guard: &Guard, what: &str) -> anyhow::Result<()> {
    let host = target.server.host.to_string();
    if !target.is_ours() {
        match guard.host.as_deref() {
            Some(repeated) if repeated == host => {}
            Some(repeated) => bail!("--host {repeated} is not the server's name, which is {host}; nothing was changed"),
            None => bail!(
                "will not {what} on {host}: it is a server that we did not start\n  help: repeat its name: --host {host}"
            ),
        }
    }
    if guard.yes || context.terminal.confirm(&format!("{what} on {host}:{}?", target.server.port)) {
        return Ok(());
    }
    bail!("will not {what} on {host}:{} without a yes\n  help: add --yes", target.server.port)
}
