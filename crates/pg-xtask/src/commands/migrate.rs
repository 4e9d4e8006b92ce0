//! `db-migrate`: runs the app's migrations, always, and proves where each new object landed.

use std::time::Duration;

use anyhow::anyhow;
use pg_config::Project;
use pg_schema::{Check, Purpose, Status};
use pg_server::Mode;
use pg_workflow::{Target, migrate, migrate_and_verify, report_lock_waits};

use crate::{cli::DbMigrate, invocation::Invocation, outcome::Outcome, report::Reporting};

/// The checks that must pass before migrations run: else new tables land in the wrong place, or nowhere.
const GROUND: [&str; 6] = ["server", "role", "database", "schema", "search-path", "schema-privileges"];

impl DbMigrate {
    pub(crate) fn run(self, project: &Project, reporting: &Reporting) -> anyhow::Result<Outcome> {
        let context = Invocation::new(project, &self.common)?;
        let target = Target::find(&context, Mode::Find)?;
        migrate::build(&context)?;
        self.migrate(&context, &target, reporting).map_err(|error| target.explain(error))
    }

    fn migrate(&self, context: &Invocation, target: &Target, reporting: &Reporting) -> anyhow::Result<Outcome> {
        let _blockers = report_lock_waits(context, target);
        let patience = target.patience(context);
        let mut connections = pg_schema::open(&target.access, &target.expected, Purpose::Provision)?;
        drop(patience);
        let lock_wait = Duration::from_secs(self.lock_wait);
        connections.lock("cargo xtask db-migrate", lock_wait, &mut |line| context.terminal.say(line))?;
        let app = &mut connections.new_app(&target.access).map_err(|error| match error.is_refusal() {
            true => anyhow!("{error}\n  help: set the database up first: cargo xtask db-setup"),
            false => error.into(),
        })?;
        // Migrations that would land elsewhere are not run to find that out.
        let before = pg_schema::verify_session(app, &target.access.app, &target.expected)?;
        let leads_astray = |check: &Check| check.status == Status::Fail && GROUND.contains(&check.id);
        if before.report.checks.iter().any(leads_astray) {
            context
                .terminal
                .warn("the migrations were not run: prerequisites failed (see below): run cargo xtask db-setup");
            return Ok(reporting.conclude(context, target, &before));
        }
        if let Some(found) = before.facts.as_ref().and_then(|facts| facts.table_elsewhere(&target.expected)) {
            context.terminal.warn(&format!(
                "the migrations were not run: they would create empty copies of {} and others; move these tables first: {}",
                found.object.qualified(),
                found.object.schema.as_ref().map(pg_schema::move_command).unwrap_or_default()
            ));
            return Ok(reporting.conclude(context, target, &before));
        }
        let (verdict, _) = migrate_and_verify(context, target, &mut connections, &target.expected, app)?;
        Ok(reporting.conclude(context, target, &verdict))
    }
}
