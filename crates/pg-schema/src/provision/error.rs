//! Why the desired state was not reached: each error says what was tried, and what to do.

use pg_config::ConnectError;
use postgres::error::SqlState;
use thiserror::Error;

use super::{Access, Change, Instructions};
use crate::{Administrator, Expected, ddl, lock::LockError, pooler, sql_error::SqlError};

/// Why the desired state was not reached.
#[derive(Debug, Error)]
pub enum ProvisionError {
    /// No connection came about, and it was not the login that was refused.
    #[error(transparent)]
    Connect(ConnectError),
    /// The administrator's connection was refused.
    #[error(
        "{error}\n  note: this is the administrator's connection ({how})\n  help: look at its role, password and database, and at pg_hba.conf on the server"
    )]
    Administrator {
        /// Which connection it is.
        how: String,
        /// The refusal.
        error: ConnectError,
    },
    /// Rights are missing; nothing was changed.
    #[error(
        "{reason}\n  note: nothing was changed\n  help: set ADMIN_DATABASE_URL to a connection with more rights\n  help: or give an administrator the script of the whole setup: cargo xtask db-setup --dry-run\n  help: or have this run, and then cargo xtask db-setup again:\n\n{instructions}"
    )]
    NeedsAdministrator {
        /// What was tried, and what is missing.
        reason: String,
        /// What is left to somebody with more rights.
        instructions: Instructions,
    },
    /// The login is refused, and nobody is known who could tell why.
    #[error(
        "{refusal}\n  note: nothing was changed\n  help: {help}\n  help: or set ADMIN_DATABASE_URL to a connection that may create roles and databases\n  help: or have an administrator run the script that cargo xtask db-setup --dry-run prints"
    )]
    UnknownLogin {
        /// The refusal, and where the password is from.
        refusal: String,
        /// What to look at first.
        help: String,
    },
    /// The role exists, and its login is refused.
    #[error("{error}\n  note: {done}\n  help: {help}")]
    LoginRefused {
        /// The refusal.
        error: Box<ConnectError>,
        /// What was changed before, or that nothing was.
        done: String,
        /// What to do about this refusal.
        help: String,
    },
    /// The database would be gone, and nobody there to make it again.
    #[error(
        "database {database} was not dropped: {how} may not create databases, to make it again\n  help: set ADMIN_DATABASE_URL to a connection that may create databases"
    )]
    MayNotRecreate {
        /// Whose connection it is.
        how: String,
        /// The database, quoted.
        database: String,
    },
    /// The server, the database or a role has no connection left.
    #[error("to make the database again takes three free connections, and there are fewer; nothing was changed{0}")]
    NoFreeConnection(String),
    /// A role cannot be made without one.
    #[error(
        "role {role} does not exist, and no password for it is known; nothing was changed\n  help: put it into DATABASE_URL or DB_PASSWORD"
    )]
    NoPassword {
        /// The role, quoted.
        role: String,
    },
    /// What the app asks for at each connection beats every setting that could be made.
    #[error(
        "the app's connection asks for search_path = {path}, not for schema {schema}; nothing was changed\n  help: take search_path out of the options of DATABASE_URL or PGOPTIONS: db-setup sets the path for the role\n  help: or name that schema in DB_SCHEMA"
    )]
    PathInOptions {
        /// The path, as it is asked for.
        path: String,
        /// The app's schema, quoted.
        schema: String,
    },
    /// A further role that could do more than it should.
    #[error(
        "role {role} is refused as a further role: {why}\n  note: nothing was changed\n  help: name another role in DB_WRITE_ROLES or DB_READ_ROLES"
    )]
    FurtherRole {
        /// The role, quoted.
        role: String,
        /// What it has.
        why: String,
    },
    /// An extension that nobody could make.
    #[error(
        "extension {name} is not among the server's; nothing was changed\n  help: install its package where the server runs (Debian has many in postgresql-contrib and postgresql-VERSION-NAME), or take it out of DB_EXTENSIONS"
    )]
    NotInStock {
        /// The extension, quoted.
        name: String,
    },
    /// An extension that the migrations would not find.
    #[error(
        "extension {name} lies in schema {schema}, which the app's path ({path}) does not reach: the migrations would not find its types and functions; nothing more was changed\n  help: put the schema on the path of the app's role, and run cargo xtask db-setup again; the schema's owner and the app's role run:{statements}"
    )]
    ExtensionOutOfReach {
        /// The extension, quoted.
        name: String,
        /// Where it lies, quoted.
        schema: String,
        /// The path.
        path: String,
        /// What leads there, each on a line of its own.
        statements: String,
    },
    /// The script of an extension could run what other roles have put into `public`.
    #[error(
        "extension {extension} is not created: public holds objects of other roles; no more was changed\n  cause: the extension's script runs with an administrator's rights, and could run {found}\n  help: drop them or move them to another schema\n  help: or, where their owners are trusted, have an administrator run:\n    CREATE EXTENSION {extension} SCHEMA public;"
    )]
    ForeignInPublic {
        /// The extension, quoted.
        extension: String,
        /// The first of them, quoted, and how many more there are.
        found: String,
    },
    /// Two URLs, two servers.
    #[error(
        "the administrator's connection ({how}) and the app's own lead to different servers\n  help: let ADMIN_DATABASE_URL and DATABASE_URL name the same one"
    )]
    DifferentServers {
        /// Which connection the administrator's is.
        how: String,
    },
    /// A pooler or an alias leads somewhere else.
    #[error(
        "the app's connection leads to database {found} as role {role}, not to {expected}\n  note: nothing more was changed\n  help: {help}"
    )]
    WrongDatabase {
        /// `current_database()`, quoted.
        found: String,
        /// `current_user`, quoted.
        role: String,
        /// What was expected, quoted.
        expected: String,
        /// What to look at.
        help: String,
    },
    /// The migrations would make everything once more.
    #[error(
        "schema {schema} has no table, and {table} is {role}'s: the app's tables seem to lie elsewhere\n  note: the migrations were not run: they would make empty tables in {schema}\n  help: see what would be moved: {command} --dry-run\n  help: move the tables: {command}\n  help: where they are another application's, give them to a role of its own"
    )]
    TablesElsewhere {
        /// The table in the wrong place, quoted.
        table: String,
        /// Its owner, the app's role, quoted.
        role: String,
        /// The app's schema, quoted.
        schema: String,
        /// The command that moves what lies there.
        command: String,
    },
    /// Nothing can be written.
    #[error("the server is a standby: it can be verified, not set up\n  help: name the primary server")]
    Standby,
    /// Another setup is at work.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A statement failed.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// Somebody in between refuses what the connection string asks for: that comes before any login.
pub(super) fn options_refused(error: ConnectError, expected: &Expected) -> ProvisionError {
    let help = format!("a connection pooler such as PgBouncer is in between: {}", pooler::advice(expected));
    ProvisionError::LoginRefused { error: Box::new(error), done: "nothing was changed".to_owned(), help }
}

/// What a refused login means, and what to do, once the role is known to exist: by the `cause` that an administrator has
/// seen, or else by the error. `who_else` may change its password, where the administrator may not.
pub(super) fn login_refused(
    error: ConnectError,
    expected: &Expected,
    changes: &[Change],
    administrator: &Administrator,
    (cause, who_else): (Option<String>, Option<String>),
) -> ProvisionError {
    let (role, database) = (&expected.role, &expected.database);
    let done = match changes {
        [] => format!("role {role} exists, and nothing was changed"),
        _ => {
            let statements: Vec<_> = changes.iter().map(|change| change.statement.as_str()).collect();
            let at = administrator.connection.address();
            format!("changed before, on {at} by {}:\n    {};", administrator.how, statements.join(";\n    "))
        }
    };
    let is_password = is_about_password(&error);
    let help = if let Some(cause) = cause {
        cause
    } else if let Some(who) = who_else.filter(|_| is_password && changes.is_empty()) {
        format!(
            "correct the password in DATABASE_URL or DB_PASSWORD\n  help: or have {who} change the role's, in psql: \\password {role}\n  note: {} may not change it",
            administrator.how
        )
    } else if is_password && changes.is_empty() {
        format!(
            "correct the password in DATABASE_URL or DB_PASSWORD\n  help: or change the role's: cargo xtask db-setup --set-password\n  help: or, in psql as an administrator: \\password {role}"
        )
    } else if is_password {
        "the administrator's connection may lead to another server than the app's, or that server looks for \
         passwords elsewhere (pg_hba.conf)"
            .to_owned()
    } else if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        format!("have the owner of database {database} run: {};", ddl::grant_database(database, role))
    } else {
        format!("see pg_hba.conf on the server, and the limits of role {role} and database {database}")
    };
    ProvisionError::LoginRefused { error: Box::new(error), done, help }
}

/// What a refused login means where nobody is known who could look.
pub(super) fn unknown_login(error: &ConnectError, access: &Access, expected: &Expected) -> ProvisionError {
    let role = &expected.role;
    let (source, help) = match is_about_password(error) {
        // The server gives the same words for a wrong password and for a role that does not exist.
        true => (
            access.password_source.as_ref().map(|source| format!("\n  note: the password is from {source}")),
            format!(
                "correct the password\n  help: or have an administrator change it in psql: \\password {role}\n  note: the server says the same where role {role} does not exist"
            ),
        ),
        false => (None, format!("see pg_hba.conf on the server, and whether role {role} may log in")),
    };
    ProvisionError::UnknownLogin { refusal: format!("{error}{}", source.unwrap_or_default()), help }
}

/// Whether another password could help.
pub(super) fn is_about_password(error: &ConnectError) -> bool {
    matches!(error, ConnectError::NoPassword { .. }) || error.code() == Some(&SqlState::INVALID_PASSWORD)
}
