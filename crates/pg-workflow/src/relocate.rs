//! Moving existing data into the app's schema: plan, back up, provision, move, look by the app's own login.

mod backup;
mod files;

use std::{fs, path::PathBuf, thread, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use pg_config::{Identifier, Session, connect};
use pg_schema::{
    Connections, Expected, Facts, Look, MoveError, MoveRequest, OlderSessions, Plan, Purpose, Recovered, Status,
    Surroundings,
};

use self::files::NewFile;
use crate::{Context, Target, Voice, lock_waits::report_lock_waits, setup::recover, voice::say_change};

/// What a move is to do beside moving.
#[derive(Clone, Debug)]
pub struct MoveOptions {
    /// What is moved.
    pub request: MoveRequest,
    /// Whether nothing is changed.
    pub dry_run: bool,
    /// Whether the schema and the path are made, and nothing moves.
    pub prepare: bool,
    /// Where the script goes that takes it back.
    pub undo: Option<PathBuf>,
    /// Where a dump of the database goes first.
    pub backup: Option<PathBuf>,
    /// How long sessions that keep an older path are waited for; the move goes on without them where nothing is said.
    pub wait_for_sessions: Option<Duration>,
    /// How often it is tried while others hold locks.
    pub tries: u32,
    /// How long the lock is waited for.
    pub lock_wait: Duration,
}

/// What came of it.
pub enum MoveOutcome {
    /// There was nothing to move.
    Nothing(Plan),
    /// Nothing was changed.
    Planned(Plan),
    /// The schema and the path are made.
    Prepared,
    /// All was moved.
    Moved(pg_schema::Moved),
}

/// Moves, or only says what would be moved.
pub fn relocate(context: &Context, target: &Target, options: &MoveOptions) -> anyhow::Result<MoveOutcome> {
    let voice = &*context.voice;
    let Target { access, expected, .. } = target;
    let path = access.app.options.get("search_path").map(str::to_owned);
    let options = &MoveOptions { request: MoveRequest { path, ..options.request.clone() }, ..options.clone() };
    for path in [&options.undo, &options.backup].into_iter().flatten() {
        files::refuse_existing(path)?;
    }
    let _blockers = report_lock_waits(context, target);
    let mut connections =
        pg_schema::open(access, expected, Purpose::Provision).map_err(|error| target.explain(error))?;
    voice.detail(&format!("administrator: {}", connections.administrator()));
    if options.dry_run {
        return Ok(MoveOutcome::Planned(plan(&mut connections, target, &options.request)?.1));
    }
    connections.lock("cargo xtask db-move", options.lock_wait, &mut |line| voice.say(line))?;
    if let Recovered::Left(what) = recover(context, target, &mut connections)? {
        voice.warn(&what);
    }
    if !options.prepare {
        // What stands in the way is said before anything is changed.
        let (_, first) = plan(&mut connections, target, &options.request)?;
        if first.moves.is_empty() {
            return Ok(MoveOutcome::Nothing(first));
        }
        if first.is_refused(&options.request) {
            return Err(MoveError::Refused(Box::new(first), options.request.allow_broken).into());
        }
        if let Some(path) = &options.backup {
            voice.say(&format!("dumping database {} to {}", expected.database, path.display()));
            backup::dump(context, target, path)?;
        }
    }
    let administrator = connections.administrator_role().to_owned();
    let provisioned = pg_schema::provision_for_move(&mut connections, access, expected, &mut |change| {
        say_change(voice, change, &administrator, expected);
    })?;
    for error in &provisioned.left {
        voice.warn(&format!("this was not done{}", error.cause()));
    }
    let (mut app, expected) = (provisioned.app, provisioned.expected);
    let facts = provisioned.facts.map_or_else(|| Facts::read(&mut app, &expected), Ok)?;
    wait_for_sessions(&mut app, &facts, &expected, options, voice)?;
    if options.prepare {
        return Ok(MoveOutcome::Prepared);
    }
    let target = &Target { expected, ..target.clone() };
    let outcome = carry_out(&mut connections, target, options, &facts, &mut app, voice)?;
    let lost = || format!("the move to {} is done, and the setup's lock was lost meanwhile", target.expected.schema);
    connections.keep_lock().with_context(lost)?;
    Ok(outcome)
}

/// The plan by the session that may carry it out, and that session: the administrator's, or else the app's own.
fn plan(connections: &mut Connections, target: &Target, request: &MoveRequest) -> anyhow::Result<(Session, Plan)> {
    let Target { access, expected, .. } = target;
    let facts = match connections.app() {
        Some(app) => Some(Facts::read(app, expected)?),
        None => None,
    };
    let by_administrator = connections.another_inside(access, expected).map_err(anyhow::Error::from);
    let (mut session, first) = match by_administrator {
        Ok(session) => (session, None),
        Err(error) => (connections.another_app(access)?, Some(error)),
    };
    let found = Plan::read(&mut session, expected, request, facts.as_ref())?;
    if first.is_some() || !found.lacks_rights {
        return Ok((session, found));
    }
    let Ok(mut own) = connections.another_app(access) else { return Ok((session, found)) };
    let by_app = Plan::read(&mut own, expected, request, facts.as_ref())?;
    Ok(if by_app.lacks_rights { (session, found) } else { (own, by_app) })
}

/// Moves, and looks at what came of it by a new login of the app's.
fn carry_out(
    connections: &mut Connections,
    target: &Target,
    options: &MoveOptions,
    facts: &Facts,
    app: &mut Session,
    voice: &dyn Voice,
) -> anyhow::Result<MoveOutcome> {
    let Target { access, expected, .. } = target;
    let request = &options.request;
    let (mut session, first) = plan(connections, target, request)?;
    let before = pg_schema::look_before(app, &first)?;
    let (count, why) = (objects(first.moves.len()), &first.why);
    voice.say(&format!("moving {count} from {} to {}: {why}", first.from, first.to));
    let mut undo_file = None;
    let is_app = session.rights == pg_config::Rights::App;
    let moved = {
        let connections = &*connections;
        let mut again = || match is_app {
            true => connections.another_app(access).ok(),
            false => connections.another_inside(access, expected).ok(),
        };
        let mut before_commit = |plan: &Plan| match &options.undo {
            Some(path) => {
                // That of a try which came to nothing makes room.
                drop(undo_file.take());
                let script = pg_schema::undo_script(plan, &expected.database.to_string());
                undo_file = Some(NewFile::write(path, &script).map_err(|error| format!("{error:#}"))?);
                Ok(())
            }
            None => Ok(()),
        };
        let mut around = Surroundings {
            tries: options.tries,
            app: Some(&mut *app),
            again: &mut again,
            before_commit: &mut before_commit,
            say: &mut |line| voice.say(line),
        };
        pg_schema::move_all(&mut session, expected, request, Some(facts), &first, &mut around)
    };
    // It takes back what is done, or may be.
    if matches!(moved, Ok(_) | Err(MoveError::Unknown { .. })) {
        undo_file.take().into_iter().for_each(NewFile::keep);
    }
    let moved = moved?;
    let problem = problem(target, &moved.plan, &before)
        .with_context(|| format!("the move to {} is done, and what the app sees was not looked at", moved.plan.to))?;
    if let Some(problem) = problem.as_ref().filter(|_| request.allow_broken) {
        voice.warn(&format!("the app cannot use all that was moved, as --allow-broken allows\n  cause: {problem}"));
    } else if let Some(problem) = problem {
        pg_schema::take_back(&mut session, &moved.plan, options.tries).with_context(|| {
            format!("the app cannot use what was moved ({problem}), and the move could not be taken back")
        })?;
        if let Some(path) = &options.undo {
            let _ = fs::remove_file(path);
        }
        bail!(
            "the app could not use what was moved\n  cause: {problem}\n  note: the move was taken back: everything is in schema {} again",
            moved.plan.from
        );
    }
    for statement in &moved.statements {
        voice.detail(statement);
    }
    look_for_newcomers(connections, target, request, voice)?;
    Ok(MoveOutcome::Moved(moved))
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

/// What the app, by a new login, can no longer use.
fn problem(target: &Target, plan: &Plan, before: &Look) -> anyhow::Result<Option<String>> {
    let Target { access, expected, .. } = target;
    let mut app = connect(&access.app).map_err(|error| anyhow!("{error}"))?;
    let lost = before.lost(&pg_schema::look_after(&mut app, plan)?, plan);
    if let Some(first) = lost.first() {
        let more = if lost.len() > 1 { format!(" and {} more", lost.len() - 1) } else { String::new() };
        return Ok(Some(format!("{first} cannot be used by a bare name, or not be selected from{more}")));
    }
    let verdict = pg_schema::verify_session(&mut app, &access.app, expected)?;
    let path = verdict.report.checks.iter().find(|check| check.id == "search-path" && check.status == Status::Fail);
    Ok(path.map(|check| check.message.clone()))
}

/// What was made in the old schema during the move.
fn look_for_newcomers(
    connections: &mut Connections,
    target: &Target,
    request: &MoveRequest,
    voice: &dyn Voice,
) -> anyhow::Result<()> {
    let Ok((_, left)) = plan(connections, target, request) else { return Ok(()) };
    if let Some(item) = left.moves.first() {
        let (from, count) = (&left.from, objects(left.moves.len()));
        voice.warn(&format!(
            "{} was made in {from} during the move ({count} in all): run cargo xtask db-move again",
            item.described()
        ));
    }
    Ok(())
}

/// Names the sessions of the app that still have the path from before: they will not find what moves. Waits for them,
/// where that is asked for.
fn wait_for_sessions(
    app: &mut Session,
    facts: &Facts,
    expected: &Expected,
    options: &MoveOptions,
    voice: &dyn Voice,
) -> anyhow::Result<()> {
    let mut left = options.wait_for_sessions.unwrap_or_default();
    let mut is_first = true;
    loop {
        let older = pg_schema::older_sessions(app, facts, expected)?;
        if older.sessions.is_empty() {
            return Ok(());
        }
        let named = named(&older, &expected.role);
        if options.wait_for_sessions.is_none() {
            voice.warn(&format!(
                "these sessions keep the search_path from before until they end, and find nothing in {}; restart them:{named}",
                expected.schema
            ));
            return Ok(());
        }
        if left.is_zero() {
            bail!(
                "these sessions keep the search_path from before; nothing was moved{named}\n  help: restart them, and run \
                 the command again\n  help: or wait longer: --wait-for-sessions SECONDS"
            );
        }
        if is_first {
            voice.say(&format!("waiting for sessions that keep the search_path from before:{named}"));
            is_first = false;
        }
        let pause = left.min(Duration::from_millis(200));
        thread::sleep(pause);
        left -= pause;
    }
}

fn named(older: &OlderSessions, role: &Identifier) -> String {
    let line = |session: &pg_schema::OlderSession| {
        let application = match session.application_name.as_str() {
            "" => String::new(),
            name => format!(", application {name}"),
        };
        format!("\n  process {} of the server (role {role}{application}, since {})", session.pid, session.since)
    };
    older.sessions.iter().map(line).collect()
}
