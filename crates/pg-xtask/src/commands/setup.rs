//! `db-setup`: from nothing, or from anything in between, to a verified database.

use std::time::Duration;

use pg_config::{Password, Project};
use pg_server::Mode;
use pg_workflow::{Target, expected_anywhere};

use crate::{cli::DbSetup, ephemeral, invocation::Invocation, outcome::Outcome, report::Reporting};

impl DbSetup {
    pub(crate) fn run(self, project: &Project, reporting: &Reporting) -> anyhow::Result<Outcome> {
        let context = Invocation::new(project, &self.common)?;
        if self.dry_run {
            print_script(&context)?;
            return Ok(Outcome::Well);
        }
        let mode = if self.install { Mode::Install } else { Mode::Start };
        let lock_wait = Duration::from_secs(self.lock_wait);
        if self.ephemeral {
            return ephemeral::with(&context, mode, |target| set_up(&context, target, lock_wait, reporting, None));
        }
        let mut target = Target::find(&context, mode)?;
        target.access.may_set_password |= self.set_password;
        target.access.may_accept_drift = self.accept_drift;
        set_up(&context, &target, lock_wait, reporting, Some("cargo xtask db-psql"))
    }
}

/// Sets up on a running server, and reports it with the command to run next.
pub(super) fn set_up(
    context: &Invocation,
    target: &Target,
    lock_wait: Duration,
    reporting: &Reporting,
    next: Option<&'static str>,
) -> anyhow::Result<Outcome> {
    let server = reporting.elapsed();
    let (verdict, times) = pg_workflow::set_up(context, target, lock_wait)?;
    let steps = [("server", server), ("migrations", times.migrations), ("checks", times.checks)];
    Ok(reporting.conclude_steps(context, target, &verdict, &steps, next))
}

/// The whole setup for an administrator; the password goes out as a verifier.
fn print_script(context: &Invocation) -> anyhow::Result<()> {
    let config = &context.config;
    let expected = expected_anywhere(config);
    let verifier = config.password.as_ref().map(|found| &found.value).map(Password::verifier);
    context.terminal.print(pg_schema::script(&expected, verifier.as_deref()).trim_end());
    Ok(())
}
