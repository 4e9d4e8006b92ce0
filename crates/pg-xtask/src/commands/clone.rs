//! `db-clone` and `db-drop`: copies of the migrated database for tests in any language.

use pg_config::Project;
use pg_server::Mode;
use pg_workflow::Target;

use super::reset::may_drop;
use crate::{
    cli::{DbClone, DbDrop},
    invocation::Invocation,
    outcome::Outcome,
};

impl DbClone {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Invocation::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Start)?;
        let connection = pg_testdb::clone_named(&context, target, &self.name)?;
        context.terminal.print(&connection.url());
        Ok(Outcome::Well)
    }
}

impl DbDrop {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Invocation::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Find)?;
        let name = &self.name;
        let database = format!("{}_clone_{name}", target.expected.database.as_str());
        if !may_drop(&context, &target, &self.guard, &format!("drop the clone {name}"), &database)? {
            return Ok(Outcome::Error);
        }
        let was_there = pg_testdb::drop_named(&context, target, name)?;
        context.terminal.say(&match was_there {
            true => format!("dropped the clone {name}"),
            false => format!("there was no clone {name}"),
        });
        Ok(Outcome::Well)
    }
}
