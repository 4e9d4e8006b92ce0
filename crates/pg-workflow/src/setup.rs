//! Setting up on a running server: provision, migrate, verify, under one lock.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use pg_config::Session;
use pg_schema::{Connections, Difference, Expected, Purpose, Recovered, Verdict};

use crate::{
    Context, Target,
    lock_waits::report_lock_waits,
    migrate::{self, Migrated, UNVERIFIED},
    voice::say_change,
};

/// How long the steps of a setup took that can be long.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// The migrate command's build and run; zero where it was skipped.
    pub migrations: Duration,
    /// The checks.
    pub checks: Duration,
}

/// From nothing, or from anything in between, to a verdict on the target's database; and how long that took.
pub fn set_up(context: &Context, target: &Target, lock_wait: Duration) -> anyhow::Result<(Verdict, Times)> {
    let mut done = Vec::new();
    let outcome = go_through(context, target, lock_wait, &mut done);
    outcome.map_err(|error| target.explain_after(error, Some(&done)))
}

/// The steps; notes the statements that were run.
fn go_through(
    context: &Context,
    target: &Target,
    lock_wait: Duration,
    done: &mut Vec<String>,
) -> anyhow::Result<(Verdict, Times)> {
    let voice = &*context.voice;
    let Target { access, expected, .. } = target;
    let _blockers = report_lock_waits(context, target);
    let patience = target.patience(context);
    let mut connections =
        pg_schema::open(access, expected, Purpose::Provision).map_err(|error| target.explain(error))?;
    drop(patience);
    voice.detail(&format!("administrator: {}", connections.administrator()));
    let started = Instant::now();
    if !is_recorded(&mut connections, target) {
        migrate::build(context)?;
    }
    let building = started.elapsed();
    connections.lock("cargo xtask db-setup", lock_wait, &mut |line| voice.say(line))?;
    if let Recovered::Left(what) = recover(context, target, &mut connections)? {
        voice.warn(&what);
    }
    let (verdict, mut times) = set_up_within(context, target, &mut connections, done)?;
    times.migrations += building;
    Ok((verdict, times))
}

/// The same by connections that hold the lock; notes the statements that were run.
pub(crate) fn set_up_within(
    context: &Context,
    target: &Target,
    connections: &mut Connections,
    done: &mut Vec<String>,
) -> anyhow::Result<(Verdict, Times)> {
    let voice = &*context.voice;
    let Target { access, expected, .. } = target;
    let administrator = connections.administrator_role().to_owned();
    let mut provisioned = pg_schema::provision(connections, access, expected, &mut |change| {
        say_change(voice, change, &administrator, expected);
        done.push(change.statement.clone());
    })?;
    for error in &provisioned.left {
        voice.warn(&format!("this was not done{}", error.cause()));
    }
    let expected = &provisioned.expected;
    let app = &mut provisioned.app;
    let facts = provisioned.facts.take();
    let is_unchanged = expected.digest.is_some()
        && match &facts {
            Some(facts) => facts.recorded_digest() == expected.digest,
            None => pg_schema::recorded_digest(app, expected)? == expected.digest,
        };
    let started = Instant::now();
    let unchanged = match facts {
        _ if !is_unchanged => None,
        Some(facts) => Some(pg_schema::verify_facts(app, facts, &access.app, expected)?),
        None => Some(pg_schema::verify_session(app, &access.app, expected)?),
    };
    let (mut verdict, times) = match unchanged {
        Some(verdict) if verdict.report.is_clean() && !(access.may_accept_drift && verdict.report.has_drift()) => {
            voice.say("migrations: unchanged since the last verified run, skipped");
            (verdict, Times { checks: started.elapsed(), ..Times::default() })
        }
        _ => migrate_and_verify(context, target, connections, expected, app)?,
    };
    pg_schema::note_provisioning(&mut verdict.report, &provisioned.warnings);
    Ok((verdict, times))
}

/// Looks for what an interrupted reset has left, and says what became of it.
pub(crate) fn recover(context: &Context, target: &Target, connections: &mut Connections) -> anyhow::Result<Recovered> {
    let (voice, database) = (&*context.voice, &target.expected.database);
    let administrator = connections.administrator_role().to_owned();
    let mut tell = |statement: &str| voice.say(&format!("{administrator}: {statement}"));
    let recovered = pg_schema::recover(connections, &target.expected, &mut tell)
        .with_context(|| format!("cannot bring back database {database} after a db-reset that was interrupted"))?;
    match recovered {
        Recovered::Back => {
            voice.warn(&format!(
                "a db-reset was interrupted: database {database} is the one from before, with its data"
            ));
        }
        Recovered::Finished => {
            voice
                .say(&format!("a db-reset was interrupted at its end: dropped what database {database} was before it"));
        }
        Recovered::Nothing | Recovered::Left(_) => {}
    }
    Ok(recovered)
}

/// Runs the migrations, proves where they landed, and records the digest where all is well; and how long that took.
pub fn migrate_and_verify(
    context: &Context,
    target: &Target,
    connections: &mut Connections,
    expected: &Expected,
    app: &mut Session,
) -> anyhow::Result<(Verdict, Times)> {
    let started = Instant::now();
    let drifted = pg_schema::begin_run(app, expected)?;
    if let Some(drifted) = &drifted {
        tell_drift(context, target, &drifted.difference());
    }
    let Migrated { landed, warnings } = migrate::run(context, &target.access.app, app, expected)?;
    let migrated = Instant::now();
    connections
        .keep_lock()
        .context("the setup's lock was lost while the migrations ran\n  help: run it again: cargo xtask db-setup")?;
    let mut verdict = pg_schema::verify_session(app, &target.access.app, expected).context(UNVERIFIED)?;
    pg_schema::note_landed(&mut verdict.report, &landed, expected);
    if verdict.report.fails_only(&["migrations", "drift"])
        && let Some(facts) = &verdict.facts
    {
        let unexplained = drifted.as_ref().filter(|_| !target.access.may_accept_drift);
        if let Some(found) = pg_schema::record_contents(app, facts, expected, unexplained).context(UNVERIFIED)? {
            pg_schema::note_contents(&mut verdict.report, &found, expected);
        }
        if pg_schema::record_digest(app, facts, expected).context(UNVERIFIED)? {
            pg_schema::note_recorded(&mut verdict.report);
        }
    }
    pg_schema::note_migrating(&mut verdict.report, &warnings);
    Ok((verdict, Times { migrations: migrated - started, checks: migrated.elapsed() }))
}

/// Says, before the migrations run, what is not as their last verified run left it.
fn tell_drift(context: &Context, target: &Target, found: &Difference) {
    let then = match target.access.may_accept_drift {
        true => "it is recorded as it is, where the run of the migrations is verified (--accept-drift)",
        false => "what the migrations do not make again stays a finding (check drift)",
    };
    let schema = &target.expected.schema;
    context.voice.warn(&format!("before this run of the migrations {schema} was not as recorded: {found}; {then}"));
}

/// Whether these very migrations were run and verified here before, as far as can be seen without the lock.
fn is_recorded(connections: &mut Connections, target: &Target) -> bool {
    let Some(app) = connections.app() else { return false };
    target.expected.digest.is_some()
        && pg_schema::recorded_digest(app, &target.expected).is_ok_and(|found| found == target.expected.digest)
}
