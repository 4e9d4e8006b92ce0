//! Running the SQL of findings that moves no data, by whoever has the rights.

use std::collections::HashSet;

use pg_config::{Session, connect, connect_within};
use postgres::error::SqlState;

use crate::{
    Access, By, Change, Connections, Expected,
    commit::{NotCommitted, commit},
    ddl,
    extension_scripts::objects_of_others_in_public,
    facts::{acting_owners, other_owners::OfOtherOwners},
    query::{execute, execute_at_once},
    record::{record_path, record_path_within},
    report::{Action, Fix},
    sql_error::SqlError,
    transaction::in_transaction,
};

/// Runs statements of [`crate::Report::safe_fixes`]: the app's own connection what it may, then the administrator's the
/// others; each in transactions of at most [`AT_ONCE`] statements. What the app's tables hold of expressions and functions is never run
/// with an administrator's rights. `tell` hears of what was committed.
///
/// Gives what nobody here may do, what rows stand against and what else the server refused, in its words: that is as
/// it was. An error is a connection or a server that can do no more; its transaction is rolled back.
pub fn fix(
    connections: &mut Connections,
    access: &Access,
    expected: &Expected,
    fixes: &[Fix],
    tell: &mut dyn FnMut(&Change),
) -> Result<Vec<SqlError>, SqlError> {
    let mut left = Vec::new();
    let mut fixes: Vec<&Fix> = fixes.iter().collect();
    // A sequence that was set stays set, whatever becomes of the transaction: these come last.
    fixes.sort_by_key(|fix| fix.action == Action::SetSequence);
    // An administrator may have let it in a moment ago.
    if connections.app.is_none() {
        connections.app = connect(&access.app).ok();
    }
    if let Some(app) = &mut connections.app {
        let refused = as_app(app, access, expected, fixes, &mut left, tell)?;
        if connections.app_is_administrator(expected) {
            left.extend(refused.into_iter().map(|(_, error)| error));
            return Ok(left);
        }
        fixes = refused.into_iter().map(|(fix, _)| fix).collect();
    }
    fixes.retain(|fix| !fix.is_for_app);
    if !fixes.is_empty() {
        as_administrator(connections, access, expected, fixes, &mut left, tell)?;
    }
    Ok(left)
}

/// Runs what the app may do. Gives what was refused for want of rights, and that others may do.
fn as_app<'a>(
    app: &mut Session,
    access: &Access,
    expected: &Expected,
    mut fixes: Vec<&'a Fix>,
    left: &mut Vec<SqlError>,
    tell: &mut dyn FnMut(&Change),
) -> Result<Vec<(&'a Fix, SqlError)>, SqlError> {
    hold_back(app, &mut fixes, left)?;
    let mut again = || connect_within(&access.app, access.wait).ok();
    let last: Last<'_> = &mut |app, done| match sets_path(done) {
        true => record_path_within(app, expected),
        false => Ok(()),
    };
    let refused = run_in_parts(app, &fixes, last, &mut again, &mut |done| told(done, By::App, tell))?;
    // Where it was not for want of rights, others would fare no better.
    let (for_others, final_) =
        refused.into_iter().partition::<Vec<_>, _>(|(fix, error)| !fix.is_for_app && error.is_about_rights());
    left.extend(final_.into_iter().map(|(_, error)| error));
    Ok(for_others)
}

/// Runs what is left to an administrator.
fn as_administrator(
    connections: &mut Connections,
    access: &Access,
    expected: &Expected,
    mut fixes: Vec<&Fix>,
    left: &mut Vec<SqlError>,
    tell: &mut dyn FnMut(&Change),
) -> Result<(), SqlError> {
    let administrator = connections.administrator.clone();
    let (session, is_inside) = connections.administrator_inside(expected);
    let database = if is_inside { expected.database.as_str() } else { administrator.connection.database.as_str() };
    if !is_inside {
        // Kept out of the app's database, it may still let others in.
        fixes.retain(|fix| fix.action == Action::GrantDatabase);
    }
    hold_back(session, &mut fixes, left)?;
    let is_about_owners = |fix: &Fix| matches!(fix.action, Action::ChangeOwner | Action::GrantOwner);
    if fixes.iter().any(|fix| is_about_owners(fix)) {
        // The administrator's session has seen each itself: a program between the app and the server can forge answers.
        let others = OfOtherOwners::read(session, expected)?;
        let lacking = acting_owners::read(session, expected, &others)?;
        let owners = others.owned.iter().map(|object| ddl::alter_owner(object, &expected.role));
        let grants = lacking.iter().map(|found| found.fix(expected)).filter(|fix| fix.is_safe).map(|fix| fix.statement);
        let seen: HashSet<_> = owners.chain(grants).collect();
        fixes.retain(|fix| !is_about_owners(fix) || seen.contains(&fix.statement));
    }
    let mut again = || administrator.connect(database, access.wait).ok();
    let mut has_set_path = false;
    let refused = run_in_parts(session, &fixes, &mut |_, _| Ok(()), &mut again, &mut |done| {
        has_set_path |= sets_path(done);
        told(done, By::Administrator, tell);
    })?;
    left.extend(refused.into_iter().map(|(_, error)| error));
    // The note of it is the app's to write. One who may not log in yet has no session that could be older.
    if has_set_path && let Ok(mut app) = connect(&access.app) {
        record_path(&mut app, expected)?;
    }
    Ok(())
}

fn sets_path(done: &[&Fix]) -> bool {
    done.iter().any(|fix| fix.action == Action::SetRolePath)
}

/// Runs no script of an extension that could meet what other roles have put into `public`: whoever asks for the
/// extension, the script may run as superuser.
fn hold_back(session: &mut Session, fixes: &mut Vec<&Fix>, left: &mut Vec<SqlError>) -> Result<(), SqlError> {
    let is_meant = |fix: &&Fix| fix.action == Action::CreateExtension;
    if !fixes.iter().any(is_meant) {
        return Ok(());
    }
    let Some(found) = in_transaction(session, |session, _| objects_of_others_in_public(session))? else {
        return Ok(());
    };
    let refused = fixes.iter().copied().filter(is_meant).map(|fix| {
        let why = format!("public holds {found}: the extension's script runs with more rights, and could run them");
        SqlError::refused(fix.statement.clone(), why)
    });
    left.extend(refused);
    fixes.retain(|fix| !is_meant(fix));
    Ok(())
}

fn told(done: &[&Fix], by: By, tell: &mut dyn FnMut(&Change)) {
    for fix in done {
        tell(&Change { statement: fix.statement.clone(), by });
    }
}

/// What was done of a transaction, and the refusals of the rest.
type Outcome<'a> = (Vec<&'a Fix>, Vec<(&'a Fix, SqlError)>);

/// What is run last in a transaction, of which these statements were done.
type Last<'a> = &'a mut dyn FnMut(&mut Session, &[&Fix]) -> Result<(), SqlError>;

/// How many statements a transaction has. Each may lock a table with all that belongs to it, and the server has room for
/// some thousand locks (`max_locks_per_transaction` × `max_connections`, 64 × 100 where nothing is set).
pub const AT_ONCE: usize = 100;

/// Runs them in parts, each of which is told when it is committed. Gives those that were refused.
fn run_in_parts<'a>(
    session: &mut Session,
    fixes: &[&'a Fix],
    last: Last<'_>,
    again: &mut dyn FnMut() -> Option<Session>,
    told: &mut dyn FnMut(&[&Fix]),
) -> Result<Vec<(&'a Fix, SqlError)>, SqlError> {
    let mut left = Vec::new();
    for part in fixes.chunks(AT_ONCE) {
        let (done, refused) = run(session, part, last, again)?;
        told(&done);
        left.extend(refused);
    }
    Ok(left)
}

/// Where the answer to COMMIT is lost, a new session, of `again`, asks what became of the transaction, and goes on.
fn run<'a>(
    session: &mut Session,
    fixes: &[&'a Fix],
    last: Last<'_>,
    again: &mut dyn FnMut() -> Option<Session>,
) -> Result<Outcome<'a>, SqlError> {
    // The app waits for what is locked here: nobody else's lock is waited for long.
    execute_at_once(
        session,
        "BEGIN READ WRITE; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = 0; \
         SET LOCAL idle_in_transaction_session_timeout = 0",
    )?;
    let (mut done, mut left) = (Vec::new(), Vec::new());
    for fix in fixes {
        match attempt(session, fix) {
            Ok(()) => done.push(*fix),
            Err(error) if error.is_final() => {
                let _ = execute_at_once(session, "ROLLBACK");
                return Err(error);
            }
            Err(error) => left.push((*fix, error)),
        }
    }
    last(session, &done)?;
    match commit(session, again) {
        Ok(()) => Ok((done, left)),
        Err(NotCommitted::RolledBack(error) | NotCommitted::Unknown(error)) => Err(error),
    }
}

/// A statement that leaves nothing behind where it is refused. A grant of what one may not grant is a warning, no
/// error (01007, 01006), and grants nothing or a part.
fn attempt(session: &mut Session, fix: &Fix) -> Result<(), SqlError> {
    let statement = &fix.statement;
    execute_at_once(session, "SAVEPOINT fix")?;
    session.take_notices();
    let outcome = match fix.action {
        Action::CreateExtension | Action::Rebuild => execute(session, statement),
        _ => execute_at_once(session, statement),
    };
    let in_vain = [SqlState::WARNING_PRIVILEGE_NOT_GRANTED, SqlState::WARNING_PRIVILEGE_NOT_REVOKED];
    let warning = session.take_notices().into_iter().find(|notice| in_vain.contains(notice.code()));
    let outcome = match warning {
        Some(warning) if outcome.is_ok() => Err(SqlError::warned(statement, &warning)),
        _ => outcome,
    };
    if outcome.is_err() {
        // A connection that is broken says so in the outcome.
        let _ = execute_at_once(session, "ROLLBACK TO SAVEPOINT fix");
    }
    let released = execute_at_once(session, "RELEASE SAVEPOINT fix");
    outcome.and(released)
}
