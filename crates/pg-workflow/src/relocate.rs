//! Moving existing data into the app's schema: plan, back up, provision, move, look by the app's own login.

mod backup;
mod files;

use std::{
    any::Any,
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};
use pg_config::{Identifier, Session, connect};
use pg_schema::{
    Connections, Expected, Facts, Look, MoveError, MoveRequest, OlderSessions, Plan, Purpose, Recovered, Surroundings,
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
    if let Some(path) = &options.backup {
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
    let mut planned = None;
    if !options.prepare {
        // What stands in the way is said before anything is changed.
        let (session, first) = plan(&mut connections, target, &options.request)?;
        if first.moves.is_empty() {
            return Ok(MoveOutcome::Nothing(first));
        }
        if first.is_refused(&options.request) {
            return Err(MoveError::Refused(Box::new(first), options.request.allow_broken).into());
        }
        if let Some(path) = &options.undo {
            // A killed move has left the script of what it did not do.
            files::make_room(path, |script| {
                let session = connections.another_inside(access, expected).or_else(|_| connections.another_app(access));
                session.is_ok_and(|mut session| pg_schema::is_of_nothing(&mut session, script))
            })?;
        }
        if let Some(path) = &options.backup {
            voice.say(&format!("dumping database {} to {}", expected.database, path.display()));
            backup::dump(context, target, path)?;
        }
        planned = Some((session, first));
    }
    let administrator = connections.administrator_role().to_owned();
    let provisioned = pg_schema::provision_for_move(&mut connections, access, expected, &mut |change| {
        say_change(voice, change, &administrator, expected);
    })?;
    for error in &provisioned.left {
        voice.warn(&format!("this was not done{}", error.cause()));
    }
    let (mut app, expected) = (provisioned.app, provisioned.expected);
    if provisioned.facts.is_none() {
        // What was changed may change the plan.
        planned = None;
    }
    let facts = provisioned.facts.map_or_else(|| Facts::read(&mut app, &expected), Ok)?;
    wait_for_sessions(&mut app, &facts, &expected, options, voice)?;
    if options.prepare {
        return Ok(MoveOutcome::Prepared);
    }
    let target = &Target { expected, ..target.clone() };
    let planned = planned.map_or_else(|| plan(&mut connections, target, &options.request), Ok)?;
    let outcome = carry_out(&mut connections, target, options, planned, &facts, &mut app, voice)?;
    let lost = || format!("the move to {} is done, and the setup's lock was lost meanwhile", target.expected.schema);
    connections.keep_lock().with_context(lost)?;
    Ok(outcome)
}

/// The plan by the session that may carry it out, and that session: the administrator's, or else the app's own.
fn plan(connections: &mut Connections, target: &Target, request: &MoveRequest) -> anyhow::Result<(Session, Plan)> {
    let Target { access, expected, .. } = target;
    // What it has made is taken for the app's.
    let administrator = Some(Identifier::from_catalog(connections.administrator_role()));
    let expected = &Expected { administrator, ..expected.clone() };
    let by_administrator = connections.another_inside(access, expected).map_err(anyhow::Error::from);
    let (mut session, first) = match by_administrator {
        Ok(session) => (session, None),
        Err(error) => (connections.another_app(access)?, Some(error)),
    };
    let found = planned(connections, &mut session, expected, request)?;
    if first.is_some() || !found.lacks_rights {
        return Ok((session, found));
    }
    let Ok(mut own) = connections.another_app(access) else { return Ok((session, found)) };
    let by_app = planned(connections, &mut own, expected, request)?;
    Ok(if by_app.lacks_rights { (session, found) } else { (own, by_app) })
}

/// The plan by one session. The app's own counts the rows of what is there twice.
fn planned(
    connections: &mut Connections,
    session: &mut Session,
    expected: &Expected,
    request: &MoveRequest,
) -> anyhow::Result<Plan> {
    let plan = Plan::read(session, expected, request, None)?;
    match connections.app().filter(|_| plan.collides) {
        None => Ok(plan),
        Some(app) => Ok(Plan::read(session, expected, request, Some(&Facts::read(app, expected)?))?),
    }
}

/// Moves, and looks at what came of it by a new login of the app's.
fn carry_out(
    connections: &mut Connections,
    target: &Target,
    options: &MoveOptions,
    (mut session, first): (Session, Plan),
    facts: &Facts,
    app: &mut Session,
    voice: &dyn Voice,
) -> anyhow::Result<MoveOutcome> {
    let Target { access, expected, .. } = target;
    let request = &options.request;
    let (count, why) = (objects(first.moves.len()), &first.why);
    voice.say(&format!("moving {count} from {} to {}: {why}", first.from, first.to));
    let mut progress = Progress::new(voice);
    let before = pg_schema::look_before(app, &first, &mut |line| progress.tell(line))?;
    let mut undo_file = None;
    let is_app = session.rights == pg_config::Rights::App;
    let moved = {
        let connections = &*connections;
        let mut again = || match is_app {
            true => connections.another_app(access).ok(),
            false => connections.another_inside(access, expected).ok(),
        };
        let mut before_commit = |plan: &Plan, transaction: &str| match &options.undo {
            Some(path) => {
                // That of a try which came to nothing makes room.
                drop(undo_file.take());
                let script = pg_schema::undo_script(plan, transaction, &expected.database.to_string());
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
            progress: &mut |line| progress.tell(line),
        };
        pg_schema::move_all(&mut session, expected, request, Some(facts), &first, &mut around)
    };
    // It takes back what is done, or may be.
    if matches!(moved, Ok(_) | Err(MoveError::Unknown { .. })) {
        undo_file.take().into_iter().for_each(NewFile::keep);
    }
    let moved = moved?;
    let problem = problem(target, &moved.plan, &before, &mut progress)
        .with_context(|| format!("the move to {} is done, and what the app sees was not looked at", moved.plan.to))?;
    drop(progress);
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
    warn_of_newcomers(&mut session, &moved.plan, target, request, voice);
    Ok(MoveOutcome::Moved(moved))
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

/// What the app, by a new login, can no longer use.
fn problem(target: &Target, plan: &Plan, before: &Look, progress: &mut Progress<'_>) -> anyhow::Result<Option<String>> {
    let Target { access, expected, .. } = target;
    let mut app = connect(&access.app).map_err(|error| anyhow!("{error}"))?;
    let lost = before.lost(&pg_schema::look_after(&mut app, plan, &mut |line| progress.tell(line))?, plan);
    if let Some(first) = lost.first() {
        let more = if lost.len() > 1 { format!(" and {} more", lost.len() - 1) } else { String::new() };
        return Ok(Some(format!("{first} cannot be used by a bare name, or not be selected from{more}")));
    }
    Ok(pg_schema::misses_schema(&mut app, expected)?)
}

/// How often it is said how far a long move is.
const PACE: Duration = Duration::from_secs(2);

/// How far a move is, no oftener than it is worth a line. A terminal counts the time, too.
struct Progress<'a> {
    voice: &'a dyn Voice,
    told: Instant,
    _step: Box<dyn Any>,
}

impl<'a> Progress<'a> {
    fn new(voice: &'a dyn Voice) -> Self {
        Self { voice, told: Instant::now(), _step: voice.progress() }
    }

    fn tell(&mut self, line: &str) {
        if self.told.elapsed() >= PACE {
            self.voice.say(line);
            self.told = Instant::now();
        }
    }
}

/// Names what was made in the old schema during the move.
fn warn_of_newcomers(session: &mut Session, plan: &Plan, target: &Target, request: &MoveRequest, voice: &dyn Voice) {
    // The move is done, whatever is known of others.
    let left = plan.newcomers(session, &target.expected, request).unwrap_or_default();
    if let Some(item) = left.first() {
        let (from, count) = (&plan.from, objects(left.len()));
        voice.warn(&format!(
            "{} was made in {from} during the move ({count} in all): run cargo xtask db-move again",
            item.described()
        ));
    }
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
