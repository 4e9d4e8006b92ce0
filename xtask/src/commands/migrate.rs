//! `db-migrate`: runs the app's migrations, always, and proves where each new object landed.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use pg_config::Project;
use pg_schema::Purpose;
use pg_server::Mode;

use super::setup::migrate_and_verify;
use crate::{
    cli::DbMigrate,
    context::Context,
    migrate,
    outcome::Outcome,
    report::{self, Printed},
    server::Target,
};

impl DbMigrate {
    pub(crate) fn run(self, project: &Project) -> anyhow::Result<Outcome> {
        let context = Context::new(project, &self.common)?;
        let started = Instant::now();
        let target = Target::find(&context, Mode::Find)?;
        migrate::build(&context)?;
        let patience = target.patience(&context);
        let mut connections = pg_schema::open(&target.access, &target.expected, Purpose::Provision)
            .map_err(|error| target.explain(error))?;
        drop(patience);
        connections.lock(Duration::from_secs(self.lock_wait), &mut |line| context.terminal.say(line))?;
        let refusal = connections.refusal().map_or_else(String::new, |error| format!("{error}\n  "));
        let app = connections
            .app()
            .ok_or_else(|| anyhow!("{refusal}help: run cargo xtask db-setup first: it says what is missing"))?;
        let verdict = migrate_and_verify(&context, &target, &target.expected, app)?;
        let printed = Printed {
            report: &verdict.report,
            facts: verdict.facts.as_ref(),
            target: &target,
            elapsed: started.elapsed(),
        };
        report::print(&context, self.format, &printed);
        Ok(Outcome::of_report(&verdict.report))
    }
}
