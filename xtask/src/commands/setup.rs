//! `db-setup`: from nothing, or from anything in between, to a verified database.

use std::time::Duration;

use anyhow::Context as _;
use pg_config::{Password, Project};
use pg_schema::{By, Change, Connections, Expected, Purpose, Verdict};
use pg_server::Mode;

use crate::{
    cli::DbSetup,
    context::Context,
    ephemeral,
    migrate::{self, Migrated},
    outcome::Outcome,
    report::Reporting,
    server::{Target, expected_anywhere},
    terminal::Terminal,
};

impl DbSetup {
    pub(crate) fn run(self, project: &Project, reporting: &Reporting) -> anyhow::Result<Outcome> {
        let context = Context::new(project, &self.common)?;
        if self.dry_run {
            print_script(&context)?;
            return Ok(Outcome::Well);
        }
        let mode = if self.install { Mode::Install } else { Mode::Start };
        let lock_wait = Duration::from_secs(self.lock_wait);
        if self.ephemeral {
            return ephemeral::with(&context, mode, |target| set_up(&context, target, lock_wait, reporting));
        }
        let mut target = Target::find(&context, mode)?;
        target.access.may_set_password |= self.set_password;
        set_up(&context, &target, lock_wait, reporting)
    }
}

/// Sets up on a running server: provision, migrate, verify, under one lock.
pub(super) fn set_up(
    context: &Context,
    target: &Target,
    lock_wait: Duration,
    reporting: &Reporting,
) -> anyhow::Result<Outcome> {
    let terminal = context.terminal;
    let Target { access, expected, .. } = target;
    let patience = target.patience(context);
    let mut connections =
        pg_schema::open(access, expected, Purpose::Provision).map_err(|error| target.explain(error))?;
    drop(patience);
    terminal.detail(&format!("administrator: {}", connections.administrator()));
    if !is_recorded(&mut connections, target) {
        migrate::build(context)?;
    }
    connections.lock(lock_wait, &mut |line| terminal.say(line))?;
    let administrator = connections.administrator_role().to_owned();
    let mut provisioned = pg_schema::provision(&mut connections, access, expected, &mut |change| {
        tell(terminal, change, &administrator, expected);
    })?;
    for error in &provisioned.left {
        terminal.warn(&format!("left as it is: {error}"));
    }
    let expected = &provisioned.expected;
    let app = &mut provisioned.app;
    let facts = provisioned.facts.take();
    let is_unchanged = expected.digest.is_some()
        && match &facts {
            Some(facts) => facts.recorded_digest() == expected.digest,
            None => pg_schema::recorded_digest(app, expected)? == expected.digest,
        };
    let unchanged = match facts {
        _ if !is_unchanged => None,
        Some(facts) => Some(pg_schema::verify_facts(app, facts, &access.app, expected)?),
        None => Some(pg_schema::verify_session(app, &access.app, expected)?),
    };
    let mut verdict = match unchanged {
        Some(verdict) if verdict.report.is_clean() => {
            terminal.say("migrations: unchanged since the last verified run, skipped");
            verdict
        }
        _ => migrate_and_verify(context, target, &mut connections, expected, app)?,
    };
    pg_schema::note_provisioning(&mut verdict.report, &provisioned.warnings);
    Ok(reporting.conclude(context, target, &verdict))
}

/// Says what was run, and as whom.
pub(super) fn tell(terminal: Terminal, change: &Change, administrator: &str, expected: &Expected) {
    let by = match change.by {
        By::Administrator => administrator,
        By::App => expected.role.as_str(),
    };
    terminal.say(&format!("{by}: {}", change.statement));
}

/// Runs the migrations, proves where they landed, and records the digest where all is well.
pub(super) fn migrate_and_verify(
    context: &Context,
    target: &Target,
    connections: &mut Connections,
    expected: &Expected,
    app: &mut pg_config::Session,
) -> anyhow::Result<Verdict> {
    let Migrated { landed, warnings } = migrate::run(context, &target.access.app, app, expected)?;
    connections.keep_lock().context("the setup's lock was lost while the migrations ran: run it again")?;
    let mut verdict = pg_schema::verify_session(app, &target.access.app, expected)?;
    pg_schema::note_landed(&mut verdict.report, &landed, expected);
    if verdict.report.fails_only(&["migrations"])
        && let Some(facts) = &verdict.facts
        && pg_schema::record_digest(app, facts, expected)?
    {
        pg_schema::note_recorded(&mut verdict.report);
    }
    pg_schema::note_migrating(&mut verdict.report, &warnings);
    Ok(verdict)
}

/// Whether these very migrations were run and verified here before, as far as can be seen without the lock.
fn is_recorded(connections: &mut Connections, target: &Target) -> bool {
    let Some(app) = connections.app() else { return false };
    target.expected.digest.is_some()
        && pg_schema::recorded_digest(app, &target.expected).is_ok_and(|found| found == target.expected.digest)
}

/// The whole setup for an administrator; the password goes out as a verifier.
fn print_script(context: &Context) -> anyhow::Result<()> {
    let config = &context.config;
    let expected = expected_anywhere(config);
    let verifier = config.password.as_ref().map(|found| &found.value).map(Password::verifier);
    context.terminal.print(pg_schema::script(&expected, verifier.as_deref()).trim_end());
    Ok(())
}
