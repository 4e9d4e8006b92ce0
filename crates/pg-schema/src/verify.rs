//! Verifying: connect as the app would, try what it would do, read the catalog, and name what is wrong.
//! Leaves nothing behind.

mod access;
mod indexes;
mod migrations;
mod path;
mod placement;
mod pooler;
mod probe;
mod routines;
mod sequences;

use std::time::Duration;

use pg_config::{ConnInfo, ConnectError, Identifier, Session, connect_within};
use postgres::error::SqlState;

use crate::{
    Access, Condition, Expected, Facts, Landed, ddl,
    object::{Kind, Object},
    query::SqlError,
    report::{Check, Report, Status},
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
    "invalid-indexes",
    "function-bodies",
    "sequence-values",
    "pooler",
];

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
            let pooler = pooler::look(&facts, access);
            Ok(conclude(&mut session, facts, pooler, app, expected)?)
        }
        Err(error) if error.is_refusal() => Ok(Verdict { report: refused(&error, access, expected), facts: None }),
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
    let pooler = pooler::shown_by(&facts);
    conclude(session, facts, pooler, app, expected)
}

fn conclude(
    session: &mut Session,
    facts: Facts,
    pooler: Option<pooler::Pooler>,
    app: &ConnInfo,
    expected: &Expected,
) -> Result<Verdict, SqlError> {
    let condition = Condition::read(session, &facts, expected)?;
    let probe = probe::create_table(session, &facts, expected)?;
    let others = probe::create_tables_as_others(session, &facts, expected)?;
    let report = judge(&facts, &condition, &probe, &others, pooler, app, expected);
    Ok(Verdict { report, facts: Some(facts) })
}

/// Adds to a report where the objects of a run of the migrations landed.
pub fn note_landed(report: &mut Report, landed: &Landed, expected: &Expected) {
    placement::note_landed(report, landed, expected);
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
    let more = access::more_than_one(warnings.len(), "warning");
    check.message = format!("{}; {what}: {first}{more}", check.message);
    if check.status == Status::Pass {
        check.status = Status::Warn;
    }
}

/// Corrects a report after the digest was recorded on the strength of it.
pub fn note_recorded(report: &mut Report) {
    if let Some(check) = report.check_mut("migrations") {
        *check = Check::pass("migrations", "the migration files are those of this verified run");
    }
}

/// All checks, from facts alone.
fn judge(
    facts: &Facts,
    condition: &Condition,
    probe: &probe::Probe,
    others: &[(Identifier, probe::Probe)],
    pooler: Option<pooler::Pooler>,
    app: &ConnInfo,
    expected: &Expected,
) -> Report {
    let checks = vec![
        access::server(facts),
        access::role(facts, expected),
        access::database(facts, expected),
        access::schema(facts, expected),
        path::search_path(facts, condition, probe, app, expected),
        access::schema_privileges(facts, expected),
        access::table_privileges(facts, condition, expected),
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
        indexes::invalid_indexes(condition, expected),
        routines::function_bodies(condition, expected),
        sequences::sequence_values(facts, condition, expected),
        pooler::pooler(facts, pooler, app, expected),
    ];
    Report { checks, tables: facts.tables }
}

/// The verdict where the app cannot even log in: which of role and database it is, and the rest unknown.
fn refused(error: &ConnectError, access: &Access, expected: &Expected) -> Report {
    let (role, database) = (&expected.role, &expected.database);
    let logs_in = || Check::pass("role", format!("role {role} can log in"));
    let about_database = || [Object::named(Kind::Database, database)];
    let checks = match error.code() {
        _ if error.is_refused_parameter() => vec![pooler::refused(error, expected)],
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => vec![
            logs_in(),
            Check::fail("database", format!("{error}: run cargo xtask db-setup"))
                .about(about_database())
                .mended_by_hand([ddl::create_database(database), ddl::grant_database(database, role)]),
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
                .mended_by_hand([format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true")]),
        ],
        code => {
            let advice = match code {
                // The server gives the same words for a missing role and for a wrong password.
                Some(code) if *code == SqlState::INVALID_PASSWORD => {
                    ": the password is wrong or has expired (VALID UNTIL), or the role does not exist; run cargo xtask db-setup, and with \
                     --set-password to change the password of a role that exists"
                }
                // A role that is missing or may not log in, or a rule of pg_hba.conf.
                Some(code) if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => ": run cargo xtask db-setup",
                _ => "",
            };
            // A right password may be hidden by a wrong one of a higher source.
            let source = access.password_source.as_ref().filter(|_| code == Some(&SqlState::INVALID_PASSWORD));
            let source = source.map_or_else(String::new, |source| format!(" (the password is that of {source})"));
            vec![Check::fail("role", format!("{error}{source}{advice}")).about([Object::named(Kind::Role, role)])]
        }
    };
    let mut checks: Vec<_> = [Check::pass("server", "the server answers")].into_iter().chain(checks).collect();
    let known: Vec<_> = checks.iter().map(|check| check.id).collect();
    let unknown = CHECKS.iter().filter(|id| !known.contains(id));
    checks.extend(unknown.map(|id| Check::skip(id, "the app cannot connect")));
    // What is known first was put first.
    checks.sort_by_key(|check| CHECKS.iter().position(|id| *id == check.id));
    Report { checks, tables: 0 }
}
