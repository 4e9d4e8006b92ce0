//! Replacing the app's database by a new one that is set up: all of it, or nothing.

use std::time::Duration;

use anyhow::bail;
use pg_config::in_one_line;
use pg_schema::{Connections, PreviousDatabase, Purpose, Recovered, Verdict};

use crate::{
    Context, Target,
    lock_waits::report_lock_waits,
    migrate,
    setup::{recover, set_up_within},
};

/// Replaces the target's database by a new one. Where that fails, or the new one does not pass its checks, the database
/// from before is back under its name.
pub fn reset(context: &Context, target: &Target, lock_wait: Duration) -> anyhow::Result<Verdict> {
    let voice = &*context.voice;
    let Target { access, expected, .. } = target;
    let database = &expected.database;
    // What can fail without a database fails while there still is one.
    migrate::build(context)?;
    let _blockers = report_lock_waits(context, target);
    let mut connections = open(context, target, lock_wait)?;
    if let Recovered::Left(what) = recover(context, target, &mut connections)? {
        bail!(what);
    }
    let is_damaged = connections.check_rebuild(access, expected)?;
    pg_schema::refuse_blocked(&mut connections, expected)?;
    let administrator = connections.administrator_role().to_owned();
    let mut tell = |statement: &str| voice.say(&format!("{administrator}: {statement}"));
    if is_damaged {
        pg_schema::drop_damaged(&mut connections, expected, &mut tell)?;
        return set_up_new(context, target, &mut connections);
    }
    let mut warn = |line: &str| voice.warn(line);
    let aside = pg_schema::set_aside(&mut connections, access, expected, &mut tell, &mut warn);
    let outcome = match aside {
        Ok(None) => {
            voice.say(&format!("there was no database {database}"));
            return set_up_new(context, target, &mut connections);
        }
        Ok(Some(aside)) => build(context, target, &mut connections, &aside),
        Err(error) => Err(error.into()),
    };
    let outcome = match outcome {
        Ok((verdict, left)) if verdict.report.is_clean() => {
            if let Some(left) = left {
                // The connection may have been lost in that moment: once more by another one. None may be there any more.
                match take_back(context, target, connections, lock_wait) {
                    Ok(Recovered::Finished | Recovered::Nothing) => voice.say("dropped the database from before"),
                    Ok(Recovered::Left(left)) => voice.warn(&left),
                    Ok(Recovered::Back) | Err(_) => voice.warn(&left),
                }
            }
            return Ok(verdict);
        }
        outcome => outcome.map(|(verdict, _)| verdict),
    };
    match take_back(context, target, connections, lock_wait) {
        // The answer to the last step was lost, and the step was not.
        Ok(Recovered::Finished) => {}
        Ok(Recovered::Left(what)) => voice.warn(&what),
        Ok(Recovered::Back) if outcome.is_ok() => voice.warn(&format!(
            "the new database did not pass its checks, which are listed below, and was dropped: database {database} is the \
             one from before, with its data"
        )),
        Ok(Recovered::Back | Recovered::Nothing) => {
            voice.warn(&format!("the reset failed: database {database} is the one from before, with its data"));
        }
        Err(error) => voice.warn(&format!(
            "the reset failed, and could not be taken back\n  cause: {}\n  note: no command has dropped the database from \
             before\n  help: bring it back: cargo xtask db-setup",
            in_one_line(&format!("{error:#}"))
        )),
    }
    outcome
}

/// Sets the new database up, and drops the one from before; the warning that this was not possible, if so.
fn build(
    context: &Context,
    target: &Target,
    connections: &mut Connections,
    aside: &PreviousDatabase,
) -> anyhow::Result<(Verdict, Option<String>)> {
    let verdict = set_up_new(context, target, connections)?;
    if !verdict.report.is_clean() {
        return Ok((verdict, None));
    }
    let left = pg_schema::finish(connections, &target.expected, aside)?;
    if left.is_none() {
        context.voice.say(&format!("dropped {}", aside.name()));
    }
    Ok((verdict, left))
}

fn set_up_new(context: &Context, target: &Target, connections: &mut Connections) -> anyhow::Result<Verdict> {
    Ok(set_up_within(context, target, connections, &mut Vec::new())?.0)
}

/// Opens the connections of a reset, and takes the lock.
fn open(context: &Context, target: &Target, lock_wait: Duration) -> anyhow::Result<Connections> {
    let mut connections =
        pg_schema::open(&target.access, &target.expected, Purpose::Drop).map_err(|error| target.explain(error))?;
    connections.lock("cargo xtask db-reset", lock_wait, &mut |line| context.voice.say(line))?;
    Ok(connections)
}

/// Brings the database from before back, by new connections where the old ones are lost.
fn take_back(
    context: &Context,
    target: &Target,
    mut connections: Connections,
    lock_wait: Duration,
) -> anyhow::Result<Recovered> {
    if connections.keep_lock().is_err() {
        drop(connections);
        connections = open(context, target, lock_wait)?;
    }
    let mut tell = |statement: &str| context.voice.detail(statement);
    Ok(pg_schema::recover(&mut connections, &target.expected, &mut tell)?)
}
