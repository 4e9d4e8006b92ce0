//! The move itself: one transaction, tried a bounded number of times, that never keeps others waiting for long.

use std::{
    thread,
    time::{Duration, Instant},
};

use pg_config::{Identifier, Session};
use postgres::error::SqlState;

use super::{
    MoveError, Request,
    plan::Plan,
    proof::{self, Digests},
    replaced::not_empty,
    statements::lock_at_once,
    undo,
};
use crate::{
    Expected, Facts,
    commit::{NotCommitted, commit},
    lock_waits::known,
    query::{execute, execute_at_once, query},
    sql_error::SqlError,
    transaction::{SAFE_PATH_HERE, SAFE_SETTINGS, in_transaction},
};

/// What was moved.
pub struct Moved {
    /// The plan that was carried out.
    pub plan: Plan,
    /// The statements that were run, in order.
    pub statements: Vec<String>,
    /// How often it was tried.
    pub tries: u32,
}

/// The pause after the first try; each is longer than the one before.
const PAUSE: Duration = Duration::from_millis(100);

/// How many statements are sent at once.
const AT_ONCE: usize = 100;

/// How long a statement that should not wait any more waits, in ms.
const SHORT_WAIT: u128 = 50;

/// What a move needs from outside its transaction.
pub struct Surroundings<'a> {
    /// How often it is tried.
    pub tries: u32,
    /// The app's own session, which alone looks into its tables.
    pub app: Option<&'a mut Session>,
    /// Opens another session of the one that moves, where its connection was lost.
    pub again: &'a mut dyn FnMut() -> Option<Session>,
    /// Runs before the commit, with all that is known by then, and the name of the transaction.
    pub before_commit: &'a mut dyn FnMut(&Plan, &str) -> Result<(), String>,
    /// Hears what is going on.
    pub say: &'a mut dyn FnMut(&str),
    /// Hears how far it is, more often than anyone wants to read.
    pub progress: &'a mut dyn FnMut(&str),
}

/// Moves all that a plan says, proves it, and commits.
pub fn move_all(
    session: &mut Session,
    expected: &Expected,
    request: &Request,
    facts: Option<&Facts>,
    first: &Plan,
    around: &mut Surroundings<'_>,
) -> Result<Moved, MoveError> {
    let (mut pause, mut first_of_all) = (PAUSE, Vec::new());
    for tries in 1..=around.tries {
        match attempt(session, expected, request, facts, first, &mut first_of_all, around) {
            Ok((plan, statements)) => return Ok(Moved { plan, statements, tries }),
            Err(MoveError::Sql(error)) if may_pass(&error) => {
                roll_back(session);
                if tries == 1 {
                    let most = around.tries;
                    (around.say)(&format!(
                        "another session is in the way; trying up to {most} times: {}",
                        error.message
                    ));
                }
            }
            Err(error) => {
                roll_back(session);
                return Err(error);
            }
        }
        thread::sleep(pause);
        pause = (pause * 3 / 2).min(Duration::from_secs(2));
    }
    let holders = holders(session, &request.from).unwrap_or_default();
    Err(MoveError::Locked { from: request.from.clone(), tries: around.tries, holders })
}

/// One transaction.
fn attempt(
    session: &mut Session,
    expected: &Expected,
    request: &Request,
    facts: Option<&Facts>,
    first: &Plan,
    first_of_all: &mut Vec<String>,
    around: &mut Surroundings<'_>,
) -> Result<(Plan, Vec<String>), MoveError> {
    // What others commit meanwhile is no difference that the move has made.
    execute_at_once(
        session,
        &format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE; {SAFE_PATH_HERE}; {SAFE_SETTINGS}; SET LOCAL lock_timeout = '2s'; \
             SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
        ),
    )?;
    let plan = Plan::read_again(session, expected, request, facts, first)?;
    if plan.is_refused(request) {
        return Err(MoveError::Refused(Box::new(plan), request.allow_broken));
    }
    let mut done = replace(session, &plan, around)?;
    (around.progress)("reading the catalog before the move");
    let before = Digests::take(session, &plan)?;
    done.extend(run(session, &plan, first_of_all, around.progress)?);
    for rewrite in &plan.rewrites {
        done.extend(rewrite.apply(session, plan.away())?);
    }
    (around.progress)("comparing the catalog after the move");
    let after = Digests::take(session, &plan)?;
    let difference = before.difference(&after, &plan);
    let difference = match difference {
        Some(difference) => Some(difference),
        None => proof::misplaced(session, &plan, expected)?,
    };
    if let Some(difference) = difference {
        return Err(MoveError::Different(difference));
    }
    let transaction = undo::transaction(session)?;
    (around.before_commit)(&plan, &transaction).map_err(MoveError::Before)?;
    match commit(session, &mut *around.again) {
        Ok(()) => Ok((plan, done)),
        Err(NotCommitted::RolledBack(error)) => Err(MoveError::Sql(error)),
        Err(NotCommitted::Unknown(error)) => Err(MoveError::Unknown { error }),
    }
}

/// Runs the statements: what waits for others within a bound that is shorter than the server's own for a deadlock, so
/// that no session of the app's is ever the one that is ended for it.
///
/// What could not be locked in time is locked first by the next try: those who hold it may wait for what we had locked
/// before. So the order becomes that in which the app's transactions go.
fn run(
    session: &mut Session,
    plan: &Plan,
    first_of_all: &mut Vec<String>,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<String>, SqlError> {
    let bound = u128::from(plan.deadlock_timeout) * 4 / 5;
    let is_locked = first_of_all.is_empty() && is_locked_at_once(session, plan)?;
    let mut waiting = if is_locked { plan.statements.waiting.clone() } else { plan.statements.waiting() };
    waiting.sort_by_key(|statement| first_of_all.iter().position(|first| first == statement).unwrap_or(usize::MAX));
    let started = Instant::now();
    for statement in waiting {
        let left = bound.saturating_sub(started.elapsed().as_millis());
        let outcome = match left {
            0 => Err(too_late(&statement)),
            _ => execute(session, &format!("SET LOCAL lock_timeout = {left}; {statement}")),
        };
        if let Err(error) = outcome {
            first_of_all.retain(|first| *first != statement);
            first_of_all.insert(0, statement);
            return Err(error);
        }
    }
    execute_at_once(session, &format!("SET LOCAL lock_timeout = {SHORT_WAIT}"))?;
    let all = plan.statements.rest.len();
    for (number, statements) in plan.statements.rest.chunks(AT_ONCE).enumerate() {
        progress(&format!("moving: {} of {all} statements", number * AT_ONCE));
        run_at_once(session, statements)?;
    }
    Ok(plan.statements.all())
}

/// Locks all tables, if no other session holds one of them.
fn is_locked_at_once(session: &mut Session, plan: &Plan) -> Result<bool, SqlError> {
    let Some(lock) = lock_at_once(&plan.statements.locked) else { return Ok(true) };
    match execute_at_once(session, &format!("SAVEPOINT moving; {lock} NOWAIT; RELEASE SAVEPOINT moving")) {
        Ok(()) => Ok(true),
        Err(error) if error.is(&SqlState::LOCK_NOT_AVAILABLE) => {
            execute_at_once(session, "ROLLBACK TO SAVEPOINT moving; RELEASE SAVEPOINT moving")?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Runs statements in one round trip. Where one fails, they are run one by one: the error is then that of one statement.
fn run_at_once(session: &mut Session, statements: &[String]) -> Result<(), SqlError> {
    let together = format!("SAVEPOINT moving; {}; RELEASE SAVEPOINT moving", statements.join("; "));
    match execute(session, &together) {
        Err(error) if !error.is_final() => {
            execute_at_once(session, "ROLLBACK TO SAVEPOINT moving; RELEASE SAVEPOINT moving")?;
            statements.iter().try_for_each(|statement| execute(session, statement))
        }
        outcome => outcome,
    }
}

/// Drops empty tables that make room. Nobody can write to them while the app's own session looks.
fn replace(session: &mut Session, plan: &Plan, around: &mut Surroundings<'_>) -> Result<Vec<String>, MoveError> {
    if plan.replaced.is_empty() {
        return Ok(Vec::new());
    }
    let names = plan.replaces.join(", ");
    execute(session, &format!("LOCK TABLE {names} IN SHARE MODE"))?;
    let app = around.app.as_deref_mut().ok_or_else(|| MoveError::NotEmpty(names.clone()))?;
    if let Some(name) = not_empty(app, &plan.replaced, &plan.to)? {
        return Err(MoveError::NotEmpty(format!("{}.{name}", plan.to)));
    }
    let statement = format!("DROP TABLE {names}");
    execute(session, &statement)?;
    Ok(vec![statement])
}

/// Runs what takes a move back, in one transaction, which is tried again where others are in its way.
pub fn take_back(session: &mut Session, plan: &Plan, tries: u32) -> Result<(), SqlError> {
    for _ in 1..tries {
        match take_back_once(session, plan) {
            Err(error) if may_pass(&error) => thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
    take_back_once(session, plan)
}

fn take_back_once(session: &mut Session, plan: &Plan) -> Result<(), SqlError> {
    execute_at_once(
        session,
        &format!(
            "BEGIN READ WRITE; {SAFE_PATH_HERE}; {SAFE_SETTINGS}; SET LOCAL lock_timeout = '900ms'; \
             SET LOCAL check_function_bodies = off; SET LOCAL statement_timeout = 0"
        ),
    )?;
    let outcome = plan.undo().iter().try_for_each(|statement| execute(session, statement));
    let outcome = outcome.and_then(|()| execute_at_once(session, "COMMIT"));
    if outcome.is_err() {
        roll_back(session);
    }
    outcome
}

fn roll_back(session: &mut Session) {
    // A session that is broken says so at the next query.
    let _ = execute_at_once(session, "ROLLBACK");
}

fn too_late(statement: &str) -> SqlError {
    SqlError {
        sqlstate: format!(" ({})", SqlState::LOCK_NOT_AVAILABLE.code()),
        ..SqlError::refused(statement.lines().next().unwrap_or_default().to_owned(), "others held locks for too long")
    }
}

/// Whether another try may go better: a lock, a deadlock, a row of the catalog or an object that another session has
/// changed in the same moment.
fn may_pass(error: &SqlError) -> bool {
    let codes = [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
    codes.iter().any(|code| error.is(code)) || error.message.contains("concurrently")
}

/// Who holds locks on what lies in a schema, a line each.
pub(super) fn holders(session: &mut Session, schema: &Identifier) -> Result<String, SqlError> {
    let sql = include_str!("../sql/relocate/holders.sql");
    let rows = in_transaction(session, |session, _| query(session, sql, &[schema.as_str()]))?;
    let line = |row: &postgres::Row| {
        let [role, application, state, relation, since] =
            ["role", "application", "state", "relation", "since"].map(|column| row.get::<_, String>(column));
        let parts = [("role ", role), ("application ", application), ("", state), ("since ", since)];
        let known = known(&parts);
        let relation = Identifier::from_catalog(relation);
        let pid = row.get::<_, Option<i32>>("pid").unwrap_or(0);
        format!(
            "\n  process {pid} of the server ({}) holds a lock on {schema}.{relation}; SELECT pg_terminate_backend({pid}) ends it",
            known
        )
    };
    Ok(rows.iter().take(10).map(line).collect())
}
