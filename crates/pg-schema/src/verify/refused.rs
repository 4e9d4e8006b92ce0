//! The verdict where the app cannot even log in.

use pg_config::ConnectError;
use postgres::error::SqlState;

use crate::{
    Access, Expected,
    checks::{CHECKS, pooler},
    ddl,
    object::{Kind, Object},
    report::{Check, Report},
};

/// The verdict where the app cannot even log in: which of role and database it is, and the rest unknown.
pub(super) fn report(error: &ConnectError, access: &Access, expected: &Expected) -> Report {
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
