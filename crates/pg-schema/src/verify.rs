//! Verifying: connect as the app would, try what it would do, read the catalog, and name what is wrong.
//! Leaves nothing behind.

mod refused;

use std::time::Duration;

use pg_config::{ConnInfo, ConnectError, Session, connect_within};

use crate::{
    Access, Difference, Expected, Facts, Landed,
    checks::{self, Look, drift, migrations, more_than_one, tables_landed},
    probe,
    report::{Report, Status},
    sql_error::SqlError,
};

/// A verdict, and the facts that it rests on where a session came about.
pub struct Verdict {
    /// The checks.
    pub report: Report,
    /// What was read.
    pub facts: Option<Facts>,
}

/// Connects as the app would, and verifies. A refused login is a finding; no answer is an error.
pub fn verify(access: &Access, expected: &Expected, wait: Duration) -> Result<Verdict, VerifyError> {
    let app = &access.app;
    match connect_within(app, wait) {
        Ok(mut session) => {
            let facts = Facts::read(&mut session, expected)?;
            Ok(conclude(&mut session, facts, access.may_be_pooled, app, expected)?)
        }
        Err(error) if error.is_refusal() => {
            Ok(Verdict { report: refused::report(&error, access, expected), facts: None })
        }
        Err(error) => Err(VerifyError::Connect(error)),
    }
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// No connection came about, and it was not the login that was refused.
    #[error(transparent)]
    Connect(ConnectError),
    /// A catalog query failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// Verifies by a session of [`crate::open`]'s, which leads to the app's database by `app`.
pub fn verify_session(session: &mut Session, app: &ConnInfo, expected: &Expected) -> Result<Verdict, SqlError> {
    let facts = Facts::read(session, expected)?;
    verify_facts(session, facts, app, expected)
}

/// Verifies on facts that the same session has read a moment ago.
pub fn verify_facts(
    session: &mut Session,
    facts: Facts,
    app: &ConnInfo,
    expected: &Expected,
) -> Result<Verdict, SqlError> {
    // Through PgBouncer it would not have been opened.
    conclude(session, facts, false, app, expected)
}

fn conclude(
    session: &mut Session,
    facts: Facts,
    may_be_pooled: bool,
    app: &ConnInfo,
    expected: &Expected,
) -> Result<Verdict, SqlError> {
    let probe = &probe::create_table(session, &facts, expected)?;
    let others = &probe::create_tables_as_others(session, &facts, expected)?;
    let checks = checks::look(Look { session, facts: &facts, probe, others, app, may_be_pooled, expected })?;
    Ok(Verdict { report: Report { checks, tables: facts.objects.tables }, facts: Some(facts) })
}

/// Adds to a report where the objects of a run of the migrations landed.
pub fn note_landed(report: &mut Report, landed: &Landed, expected: &Expected) {
    tables_landed::note(report, landed, expected);
}

/// Adds to a report what the server warned of while it was set up: a grant that grants nothing is only a warning.
pub fn note_provisioning(report: &mut Report, warnings: &[String]) {
    note_warnings(report, "server", "it warned during the setup", warnings);
}

/// Adds to a report what the migrate command, or the server by its words, warned of.
pub fn note_migrating(report: &mut Report, warnings: &[String]) {
    note_warnings(report, "migrations", "the migrate command warned", warnings);
}

fn note_warnings(report: &mut Report, id: &str, what: &str, warnings: &[String]) {
    let Some(first) = warnings.first() else { return };
    let Some(check) = report.check_mut(id) else { return };
    let more = more_than_one(warnings.len(), "warning");
    check.message = format!("{}; {what}: {first}{more}", check.message);
    if check.status == Status::Pass {
        check.status = Status::Warn;
    }
}

/// Replaces in a report what was said of the schema's contents before they were recorded.
pub fn note_contents(report: &mut Report, found: &Difference, expected: &Expected) {
    drift::note(report, found, expected);
}

/// Corrects a report after the digest was recorded on the strength of it.
pub fn note_recorded(report: &mut Report) {
    migrations::note_recorded(report);
}
