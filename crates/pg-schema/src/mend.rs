//! Running the SQL of findings that moves no data: in one transaction, by whoever has the rights.

use pg_config::{Session, connect};
use postgres::error::SqlState;

use crate::{
    Access, By, Change, Connections, Expected, ddl,
    query::{SqlError, execute},
    record::record_path,
};

/// Runs statements of [`crate::Report::safe_fixes`]. A superuser's connection runs all of them in one transaction;
/// else the app's own runs what it may, and then the administrator's the rest, each in a transaction of its own.
/// Any other error than a refusal rolls its transaction back. `tell` hears of what was committed.
///
/// Gives what nobody here may do, or what rows stand against, and the server's words: that is as it was.
pub fn mend(
    connections: &mut Connections,
    access: &Access,
    expected: &Expected,
    statements: &[&str],
    tell: &mut dyn FnMut(&Change),
) -> Result<Vec<SqlError>, SqlError> {
    let path = ddl::set_role_search_path(&expected.role, &expected.database, &expected.schema);
    let mut has_set_path = false;
    let mut rest: Vec<&str> = statements.to_vec();
    let mut refusals = Vec::new();
    let (app, administrator) = connections.in_database(expected);
    let administrator_first = administrator.as_ref().is_some_and(|(_, is_superuser)| *is_superuser);
    let app = app.map(|session| (session, By::App));
    let administrator = administrator.map(|(session, _)| (session, By::Administrator));
    let order = if administrator_first { [administrator, None] } else { [app, administrator] };
    for (session, by) in order.into_iter().flatten() {
        if rest.is_empty() {
            break;
        }
        let (done, left) = run(session, &rest)?;
        for statement in &done {
            tell(&Change { statement: (*statement).to_owned(), by });
            has_set_path |= **statement == path;
        }
        rest.retain(|statement| !done.contains(statement));
        refusals = left;
    }
    // One who may not log in yet has no session that could be older.
    if has_set_path && let Ok(mut app) = connect(&access.app) {
        record_path(&mut app, expected)?;
    }
    Ok(refusals)
}

/// One transaction: what was done of it, and the refusals of the rest.
fn run<'a>(session: &mut Session, statements: &[&'a str]) -> Result<(Vec<&'a str>, Vec<SqlError>), SqlError> {
    execute(session, "BEGIN")?;
    let (mut done, mut left) = (Vec::new(), Vec::new());
    for statement in statements {
        match attempt(session, statement) {
            Ok(()) => done.push(*statement),
            Err(error) if is_left(&error) => left.push(error),
            Err(error) => {
                let _ = execute(session, "ROLLBACK");
                return Err(error);
            }
        }
    }
    execute(session, "COMMIT")?;
    Ok((done, left))
}

/// A statement that leaves nothing behind where it is refused. A grant of what one may not grant is a warning, no
/// error (01007, 01006), and grants nothing or a part.
fn attempt(session: &mut Session, statement: &str) -> Result<(), SqlError> {
    execute(session, "SAVEPOINT mend")?;
    session.take_notices();
    let outcome = execute(session, statement);
    let in_vain = [SqlState::WARNING_PRIVILEGE_NOT_GRANTED, SqlState::WARNING_PRIVILEGE_NOT_REVOKED];
    let warning = session.take_notices().into_iter().find(|notice| in_vain.contains(notice.code()));
    let outcome = match warning {
        Some(warning) if outcome.is_ok() => Err(SqlError::warned(statement, &warning)),
        _ => outcome,
    };
    match outcome {
        Ok(()) => execute(session, "RELEASE mend"),
        Err(error) => {
            execute(session, "ROLLBACK TO mend")?;
            Err(error)
        }
    }
}

/// Whether a statement was refused for want of rights (class 42, 01), or by the rows that it met (class 23).
fn is_left(error: &SqlError) -> bool {
    error.is(&SqlState::INSUFFICIENT_PRIVILEGE)
        || error.sqlstate.starts_with(" (23")
        || error.sqlstate.starts_with(" (01")
}
