//! `db-reset`: replaces the app's database by a new one that is set up.

use std::time::Duration;

use anyhow::bail;
use pg_config::{Project, connect_administrator};
use pg_server::Mode;
use pg_workflow::Target;

use crate::{
    cli::{DbReset, Guard},
    invocation::Invocation,
    outcome::Outcome,
    report::Reporting,
    terminal::Terminal,
};

impl DbReset {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Invocation::new(project, &self.common)?;
        let reporting = Reporting::as_text("db-reset");
        let target = Target::find(&context, Mode::Start)?;
        pg_schema::refuse_servers_own(&target.expected)?;
        let lock_wait = Duration::from_secs(self.lock_wait);
        let database = &target.expected.database;
        if !may_drop(&context, &target, &self.guard, &format!("drop database {database}"), database.as_str())? {
            return Ok(Outcome::Error);
        }
        let verdict = pg_workflow::reset(&context, &target, lock_wait).map_err(|error| target.explain(error))?;
        Ok(reporting.conclude(&context, &target, &verdict))
    }
}

/// Whether a database may be dropped: by a yes, and on a server that this tool did not start by its name too (a tunnel
/// looks like localhost). A person is told what will be lost.
pub(super) fn may_drop(
    context: &Invocation,
    target: &Target,
    guard: &Guard,
    what: &str,
    database: &str,
) -> anyhow::Result<bool> {
    let host = target.server.host.to_string();
    if !target.is_ours() {
        match guard.host.as_deref() {
            Some(repeated) if repeated == host => {}
            Some(repeated) => bail!(
                "--host {repeated} is not the server's name, which is {host}; nothing was changed\n  help: --host {host}"
            ),
            None => bail!(
                "cannot {what} on {host}: this tool did not start that server\n  help: repeat its name: --host {host}"
            ),
        }
    }
    let port = target.server.port;
    if guard.yes {
        return Ok(true);
    }
    if !Terminal::can_ask() {
        bail!("cannot {what} on {host}:{port} without a yes\n  help: add --yes");
    }
    let losses = losses(target, database).map(|losses| format!(" ({losses})")).unwrap_or_default();
    let may = context.terminal.confirm(&format!("{what} on {host}:{port}{losses}?"));
    if !may {
        context.terminal.say("nothing dropped");
    }
    Ok(may)
}

/// `25 tables, 12 MB, 2 sessions`, where the server says so: the question is asked all the same.
fn losses(target: &Target, database: &str) -> Option<String> {
    let administrator = target.access.administrator.as_ref().map(|found| &found.connection);
    let connection = administrator.unwrap_or(&target.access.app).with_database(database);
    let mut session = connect_administrator(&connection, Duration::ZERO).ok()?;
    let row = pg_schema::query_one(&mut session, include_str!("reset/losses.sql"), &[]).ok()?;
    let counted = |count: i64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let (tables, size, sessions) = (row.get(0), row.get::<_, String>(1), row.get(2));
    Some(format!("{}, {size}, {}", counted(tables, "table"), counted(sessions, "session")))
}
