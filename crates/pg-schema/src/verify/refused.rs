//! The verdict where the app cannot even log in.

use pg_config::ConnectError;
use postgres::error::SqlState;

use crate::{
    Access, Expected,
    checks::{CHECKS, pooler},
    ddl,
    object::{Kind, Object},
    report::{Action, Check, Fix, Report},
};

/// What a refusal says.
struct Meaning {
    code: SqlState,
    /// The check that fails.
    check: &'static str,
    advice: &'static str,
    fix: fn(&Expected) -> Vec<Fix>,
}

/// By SQLSTATE. Any other is about the role, too.
const MEANINGS: [Meaning; 5] = [
    Meaning {
        code: SqlState::INVALID_CATALOG_NAME,
        check: "database",
        advice: ": run cargo xtask db-setup",
        fix: |Expected { role, database, .. }| {
            by_hand([ddl::create_database(database), ddl::grant_database(database, role)])
        },
    },
    // CONNECT is all that the server asks for here.
    Meaning {
        code: SqlState::INSUFFICIENT_PRIVILEGE,
        check: "database",
        advice: "",
        fix: |Expected { role, database, .. }| {
            vec![Fix::of(Action::GrantDatabase, ddl::grant_database(database, role))]
        },
    },
    // `ALLOW_CONNECTIONS false`.
    Meaning {
        code: SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
        check: "database",
        advice: "",
        fix: |expected| by_hand([ddl::allow_connections(&expected.database, true)]),
    },
    // The server gives the same words for a missing role and for a wrong password.
    Meaning {
        code: SqlState::INVALID_PASSWORD,
        check: "role",
        advice: ": the password is wrong or has expired (VALID UNTIL), or the role does not exist; run cargo xtask db-setup, and with \
                 --set-password to change the password of a role that exists",
        fix: |_| Vec::new(),
    },
    // A role that is missing or may not log in, or a rule of pg_hba.conf.
    Meaning {
        code: SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        check: "role",
        advice: ": run cargo xtask db-setup",
        fix: |_| Vec::new(),
    },
];

fn by_hand<const N: usize>(statements: [String; N]) -> Vec<Fix> {
    statements.map(|statement| Fix { is_safe: false, ..statement.into() }).into()
}

/// Which of role and database it is, and the others unknown.
pub(super) fn report(error: &ConnectError, access: &Access, expected: &Expected) -> Report {
    let known = match error.is_refused_parameter() {
        true => vec![pooler::refused(error, expected)],
        false => refused(error, access, expected),
    };
    let server = Check::pass("server", "the server answers");
    let mut known: Vec<_> = [server].into_iter().chain(known).collect();
    let checks = CHECKS.iter().map(|id| match known.iter().position(|check| check.id == *id) {
        Some(at) => known.swap_remove(at),
        None => Check::skip(id, "the app cannot connect"),
    });
    Report { checks: checks.collect(), tables: 0 }
}

fn refused(error: &ConnectError, access: &Access, expected: &Expected) -> Vec<Check> {
    let Expected { role, database, .. } = expected;
    let meaning = MEANINGS.iter().find(|meaning| error.code() == Some(&meaning.code));
    let advice = meaning.map_or("", |meaning| meaning.advice);
    let fixes = meaning.map_or_else(Vec::new, |meaning| (meaning.fix)(expected));
    if meaning.is_some_and(|meaning| meaning.check == "database") {
        let logs_in = Check::pass("role", format!("role {role} can log in"));
        let found = Check::fail("database", format!("{}{advice}", error.in_one_line()));
        return vec![logs_in, found.about([Object::named(Kind::Database, database)]).fixed_by(fixes)];
    }
    // A right password may be hidden by a wrong one of a higher source.
    let source = access.password_source.as_ref().filter(|_| error.code() == Some(&SqlState::INVALID_PASSWORD));
    let source = source.map_or_else(String::new, |source| format!(" (the password is from {source})"));
    let words = error.to_string();
    let help: String =
        words.lines().filter_map(|line| line.strip_prefix("  help: ")).map(|help| format!("; {help}")).collect();
    let found = Check::fail("role", format!("{}{source}{help}{advice}", error.in_one_line()));
    vec![found.about([Object::named(Kind::Role, role)]).fixed_by(fixes)]
}
