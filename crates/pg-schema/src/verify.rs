//! Verifying: connect as the app would, try what it would do, read the catalog, and name what is wrong.
//! Leaves nothing behind.

mod access;
mod migrations;
mod path;
mod placement;
mod probe;

use std::time::Duration;

use pg_config::{ConnInfo, ConnectError, Identifier, Session, connect_within};
use postgres::error::SqlState;

use crate::{
    Expected, Facts, Landed, ddl,
    object::{Kind, Object},
    query::SqlError,
    report::{Check, Report},
};

/// Every check that this version knows, in the contract's order.
pub const CHECKS: &[&str] = &[
    "server",
    "role",
    "database",
    "schema",
    "search-path",
    "schema-privileges",
    "table-privileges",
    "sequence-privileges",
    "default-privileges",
    "ownership",
    "tables-landed",
    "strays",
    "duplicates",
    "bookkeeping",
    "migrations",
    "public-create",
    "extensions",
];

/// A verdict, and the facts that it rests on where a session came about.
pub struct Verdict {
    /// The checks.
    pub report: Report,
    /// What was read.
    pub facts: Option<Facts>,
}

/// Connects as the app would, and verifies. A refused login is a finding; no answer is an error.
pub fn verify(app: &ConnInfo, expected: &Expected, wait: Duration) -> Result<Verdict, VerifyError> {
    match connect_within(app, wait) {
        Ok(mut session) => verify_session(&mut session, app, expected).map_err(VerifyError::Sql),
        Err(error @ (ConnectError::Refused { .. } | ConnectError::NoPassword { .. })) => {
            Ok(Verdict { report: refused(&error, expected), facts: None })
        }
        Err(error) => Err(VerifyError::NoServer(error)),
    }
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// No server answers.
    #[error(transparent)]
    NoServer(ConnectError),
    /// A catalog query failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// Verifies by a session that was opened with the app's own connection `app`.
pub fn verify_session(session: &mut Session, app: &ConnInfo, expected: &Expected) -> Result<Verdict, SqlError> {
    let facts = Facts::read(session, expected)?;
    Ok(verify_facts(session, facts, app, expected))
}

/// Verifies on facts that the same session has read a moment ago.
pub fn verify_facts(session: &mut Session, facts: Facts, app: &ConnInfo, expected: &Expected) -> Verdict {
    let probe = probe::create_table(session, &facts, expected);
    let others = probe::create_tables_as_others(session, &facts, expected);
    let report = judge(&facts, &probe, &others, app, expected);
    Verdict { report, facts: Some(facts) }
}

/// Adds to a report where the objects of a run of the migrations landed.
pub fn note_landed(report: &mut Report, landed: &Landed, expected: &Expected) {
    placement::note_landed(report, landed, expected);
}

/// Corrects a report after the digest was recorded on the strength of it.
pub fn note_recorded(report: &mut Report) {
    if let Some(check) = report.checks.iter_mut().find(|check| check.id == "migrations") {
        *check = Check::pass("migrations", "the migration files are those of this verified run");
    }
}

/// All checks, from facts alone.
fn judge(
    facts: &Facts,
    probe: &probe::Probe,
    others: &[(Identifier, probe::Probe)],
    app: &ConnInfo,
    expected: &Expected,
) -> Report {
    let checks = vec![
        access::server(facts),
        access::role(facts, expected),
        access::database(facts, expected),
        access::schema(facts, expected),
        path::search_path(facts, probe, app, expected),
        access::schema_privileges(facts, expected),
        access::table_privileges(facts, expected),
        access::sequence_privileges(facts, expected),
        access::default_privileges(facts, probe, others, expected),
        access::ownership(facts, expected),
        placement::tables_landed(facts, expected),
        placement::strays(facts, expected),
        placement::duplicates(facts, expected),
        placement::bookkeeping(facts, expected),
        migrations::migrations(facts, expected),
        access::public_create(facts, expected),
        path::extensions(facts, app, expected),
    ];
    Report { checks, tables: facts.tables }
}

/// The verdict where the app cannot even log in: which of role and database it is, and the rest unknown.
fn refused(error: &ConnectError, expected: &Expected) -> Report {
    let (role, database) = (&expected.role, &expected.database);
    let logs_in = || Check::pass("role", format!("role {role} can log in"));
    let about_database = || [Object::named(Kind::Database, database)];
    let checks = match error.code() {
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => vec![
            logs_in(),
            Check::fail("database", format!("{error}: run cargo xtask db-setup"))
                .about(about_database())
                .mended_by([ddl::create_database(database), ddl::grant_database(database, role)]),
        ],
        // CONNECT is all that the server asks for here.
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => vec![
            logs_in(),
            Check::fail("database", error.to_string())
                .about(about_database())
                .mended_by([ddl::grant_database(database, role)]),
        ],
        // `ALLOW_CONNECTIONS false`.
        Some(code) if *code == SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => vec![
            logs_in(),
            Check::fail("database", error.to_string())
                .about(about_database())
                .mended_by([format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true")]),
        ],
        code => {
            let advice = match code {
                // The server gives the same words for a missing role and for a wrong password.
                Some(code) if *code == SqlState::INVALID_PASSWORD => {
                    ": the password is wrong, or the role does not exist; run cargo xtask db-setup, and with \
                     --set-password to change the password of a role that exists"
                }
                // A role that is missing or may not log in, or a rule of pg_hba.conf.
                Some(code) if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => ": run cargo xtask db-setup",
                _ => "",
            };
            vec![Check::fail("role", format!("{error}{advice}")).about([Object::named(Kind::Role, role)])]
        }
    };
    let mut checks: Vec<_> = [Check::pass("server", "the server answers")].into_iter().chain(checks).collect();
    let known: Vec<_> = checks.iter().map(|check| check.id).collect();
    let unknown = CHECKS.iter().filter(|id| !known.contains(id));
    checks.extend(unknown.map(|id| Check::skip(id, "the app cannot connect")));
    Report { checks, tables: 0 }
}
