//! From whatever is there to the desired state. It is asserted on every run: that something exists
//! already is never a reason to stop early, and what is right already is not touched.

mod cluster;
mod database;

use std::time::Duration;

use pg_config::{ConnInfo, ConnectError, Identifier, Password, Session, connect_within};
use postgres::error::SqlState;
use thiserror::Error;

use self::cluster::Cluster;
use crate::{
    Administrator, Expected, Facts, administrator, ddl, lock,
    lock::LockError,
    query::{SqlError, execute},
    script,
};

/// How the server is reached, and what may be done to it.
#[derive(Clone, Debug)]
pub struct Access {
    /// The app's own connection.
    pub app: ConnInfo,
    /// A connection that may make roles and databases, where one is known.
    pub administrator: Option<Administrator>,
    /// Whether the password of a role that exists may be changed: it was asked for, or the server is
    /// one that we started.
    pub may_set_password: bool,
    /// Whether [`Self::app`]'s password was generated here, with 128 random bits.
    pub password_is_generated: bool,
    /// How long a server that is still starting is waited for.
    pub wait: Duration,
}

/// What the connections are opened for: it decides whose rights suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Make what is missing.
    Provision,
    /// Drop the database.
    Drop,
}

/// The connections of a setup.
pub struct Connections {
    /// The administrator's session in the maintenance database; it holds the lock.
    pub(crate) maintenance: Session,
    /// Whose session that is.
    administrator: Administrator,
    /// The app's own session, where its login worked already.
    pub(crate) app: Option<Session>,
    /// Why it did not.
    refusal: Option<ConnectError>,
}

/// A database in the desired state.
pub struct Provisioned {
    /// The app's own session, opened after the last change.
    pub app: Session,
    /// What was run, in order.
    pub changes: Vec<Change>,
    /// What could not be run, and why.
    pub left: Vec<SqlError>,
    /// The server's warnings; a GRANT that grants nothing is only a warning there.
    pub warnings: Vec<String>,
    /// What was asserted, the administrator's role filled in.
    pub expected: Expected,
    /// What is true now, where nothing had to be run: the verification need not read it again.
    pub facts: Option<Facts>,
}

/// A statement that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its text, without any verifier.
    pub statement: String,
    /// By whose connection.
    pub by: By,
}

/// Whose connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The administrator's.
    Administrator,
    /// The app's own.
    App,
}

/// Why the desired state was not reached.
#[derive(Debug, Error)]
pub enum ProvisionError {
    /// No server answers.
    #[error(transparent)]
    NoServer(ConnectError),
    /// The administrator's connection was refused.
    #[error("the administrator's connection ({how}) was refused: {error}")]
    Administrator {
        /// Which connection it is.
        how: String,
        /// The refusal.
        error: ConnectError,
    },
    /// Rights are missing; nothing was changed.
    #[error(
        "{reason}; nothing was changed\n  help: set ADMIN_DATABASE_URL to a connection that may create roles and databases,\n        or have an administrator run this script (cargo xtask db-setup --dry-run prints it):\n\n{script}"
    )]
    NeedsAdministrator {
        /// What was tried, and what is missing.
        reason: String,
        /// What an administrator would run.
        script: String,
    },
    /// The role exists, and its login is refused; nothing was changed.
    #[error(
        "{error}; the role exists, and nothing was changed\n  help: correct the password in DATABASE_URL or DB_PASSWORD, or change the role's:\n        \\password {role}   (in psql, as an administrator), or cargo xtask db-setup --set-password"
    )]
    LoginRefused {
        /// The refusal.
        error: ConnectError,
        /// The role, quoted.
        role: String,
    },
    /// A role cannot be made without one.
    #[error(
        "role {role} does not exist, and no password for it is known; nothing was changed\n  help: put it into DATABASE_URL or DB_PASSWORD"
    )]
    NoPassword {
        /// The role, quoted.
        role: String,
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
        "the app's connection leads to database {found} as role {role}, not to {expected}; nothing more was changed\n  help: look at what stands between: a pooler's aliases, pg_hba.conf, pg_ident.conf"
    )]
    WrongDatabase {
        /// `current_database()`, quoted.
        found: String,
        /// `current_user`, quoted.
        role: String,
        /// What was expected, quoted.
        expected: String,
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

/// Opens the connections and finds out who is administrator. Changes nothing.
pub fn open(access: &Access, expected: &Expected, purpose: Purpose) -> Result<Connections, ProvisionError> {
    let (mut app, refusal) = match connect_within(&access.app, access.wait) {
        Ok(session) => (Some(session), None),
        Err(error @ (ConnectError::Refused { .. } | ConnectError::NoPassword { .. })) => (None, Some(error)),
        Err(error) => return Err(ProvisionError::NoServer(error)),
    };
    let administrator = match &access.administrator {
        Some(administrator) => administrator.clone(),
        None => find_administrator(access, expected, purpose, app.as_mut(), refusal.as_ref())?,
    };
    let maintenance = match administrator.connect(&administrator.connection.database, access.wait) {
        Ok(session) => session,
        // Where the app's own rights suffice, it may still be kept out of the maintenance database.
        Err(_) if administrator.connection == app_as_administrator(access).connection => {
            connect_within(&access.app, access.wait).map_err(ProvisionError::NoServer)?
        }
        Err(error @ (ConnectError::Unreachable { .. } | ConnectError::NotReady { .. })) => {
            return Err(ProvisionError::NoServer(error));
        }
        Err(error) => return Err(ProvisionError::Administrator { how: administrator.how, error }),
    };
    Ok(Connections { maintenance, administrator, app, refusal })
}

impl Connections {
    /// The app's own session, where its login works already.
    pub fn app(&mut self) -> Option<&mut Session> {
        self.app.as_mut()
    }

    /// Who makes roles and databases, in words.
    pub fn administrator(&self) -> &str {
        &self.administrator.how
    }

    /// Takes the lock, for as long as the connections live.
    pub fn lock(&mut self, wait: Duration, say: &mut dyn FnMut(&str)) -> Result<(), LockError> {
        lock::acquire(&mut self.maintenance, wait, say)
    }
}

/// Makes what is missing and mends what is wrong: role, database, extensions, schema, paths, privileges.
pub fn provision(
    connections: &mut Connections,
    access: &Access,
    expected: &Expected,
) -> Result<Provisioned, ProvisionError> {
    let cluster = Cluster::read(&mut connections.maintenance, expected)?;
    if cluster.in_recovery {
        return Err(ProvisionError::Standby);
    }
    // Rights come first: what cannot be finished is not begun.
    let refusal = connections.refusal.take();
    let plan = cluster.plan(refusal, &connections.administrator, access, expected)?;
    let mut run = Run::default();
    for statement in plan {
        run.must(&mut connections.maintenance, By::Administrator, &statement)?;
    }
    let mut app = match connections.app.take() {
        Some(session) => session,
        None => connect_within(&access.app, access.wait).map_err(|error| match error {
            ConnectError::Refused { .. } | ConnectError::NoPassword { .. } => {
                ProvisionError::LoginRefused { error, role: expected.role.to_string() }
            }
            _ => ProvisionError::NoServer(error),
        })?,
    };
    let expected =
        Expected { administrator: Some(Identifier::from_catalog(&cluster.administrator)), ..expected.clone() };
    let facts = Facts::read(&mut app, &expected)?;
    if facts.server_started != cluster.server_started {
        return Err(ProvisionError::DifferentServers { how: connections.administrator.how.clone() });
    }
    if facts.database != expected.database || facts.role != expected.role {
        return Err(ProvisionError::WrongDatabase {
            found: facts.database.to_string(),
            role: facts.role.to_string(),
            expected: format!("{} as role {}", expected.database, expected.role),
        });
    }
    database::assert(&mut app, &connections.administrator, &cluster, &facts, access, &expected, &mut run)?;
    let is_settled = run.changes.is_empty() && run.left.is_empty();
    // A session that began before the paths changed has the old one: the app's next one begins after.
    let is_stale = access.app.options.get("search_path").is_none()
        && facts.stored_path.schema.as_ref() == Some(&expected.schema)
        && facts.current_schema.as_ref() != Some(&expected.schema);
    if !is_settled || is_stale {
        app = connect_within(&access.app, access.wait).map_err(ProvisionError::NoServer)?;
    }
    let facts = (is_settled && !is_stale).then_some(facts);
    Ok(Provisioned { app, changes: run.changes, left: run.left, warnings: run.warnings, expected, facts })
}

/// What was run so far.
#[derive(Default)]
struct Run {
    changes: Vec<Change>,
    left: Vec<SqlError>,
    warnings: Vec<String>,
}

impl Run {
    /// Runs a statement without which there is no going on.
    fn must(&mut self, session: &mut Session, by: By, statement: &str) -> Result<(), SqlError> {
        execute(session, statement)?;
        let warnings = session.take_notices().into_iter().filter(|notice| notice.severity() == "WARNING");
        self.warnings.extend(warnings.map(|warning| format!("{}: {statement}", warning.message())));
        let text = statement.split(" PASSWORD '").next().unwrap_or(statement).to_owned();
        self.changes.push(Change { statement: text, by });
        Ok(())
    }

    /// Runs a statement where the rights allow; what they do not allow, the verification names.
    fn may(&mut self, session: &mut Session, by: By, statement: &str) -> Result<(), SqlError> {
        match self.must(session, by, statement) {
            Err(error) if error.is(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                self.left.push(error);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

fn app_as_administrator(access: &Access) -> Administrator {
    Administrator::given(access.app.with_database("postgres"), "the app's own connection")
}

/// Who is administrator where nobody was named: the app itself where its rights suffice, else the
/// superuser of a server on this machine.
fn find_administrator(
    access: &Access,
    expected: &Expected,
    purpose: Purpose,
    app: Option<&mut Session>,
    refusal: Option<&ConnectError>,
) -> Result<Administrator, ProvisionError> {
    let itself = app_as_administrator(access);
    let reason = match (app, refusal) {
        (Some(session), _) => {
            if administrator::suffices(session, expected, purpose)? {
                return Ok(itself);
            }
            match purpose {
                Purpose::Drop => format!("role {} does not own database {}", expected.role, expected.database),
                Purpose::Provision => format!(
                    "role {} may not create in schema {} of database {}",
                    expected.role, expected.schema, expected.database
                ),
            }
        }
        (None, Some(error)) if error.code() == Some(&SqlState::INVALID_CATALOG_NAME) => {
            if let Ok(mut session) = itself.connect("postgres", Duration::ZERO)
                && Cluster::read(&mut session, expected)?.may_create_database
            {
                return Ok(itself);
            }
            format!("{error}, and the role may not create it")
        }
        (None, Some(error)) => error.to_string(),
        (None, None) => "the app's login was not tried".to_owned(),
    };
    administrator::local_superuser(&access.app).ok_or_else(|| ProvisionError::NeedsAdministrator {
        reason,
        script: script::whole(expected, verifier(access).as_deref()),
    })
}

/// What is sent instead of the app's password.
fn verifier(access: &Access) -> Option<String> {
    let of = if access.password_is_generated { Password::quick_verifier } else { Password::verifier };
    access.app.password.as_ref().map(of)
}

impl Cluster {
    /// What the administrator runs in the maintenance database; or why it may not.
    fn plan(
        &self,
        refusal: Option<ConnectError>,
        administrator: &Administrator,
        access: &Access,
        expected: &Expected,
    ) -> Result<Vec<String>, ProvisionError> {
        let (role, database) = (&expected.role, &expected.database);
        let refusal = refusal.filter(|error| error.code() != Some(&SqlState::INVALID_CATALOG_NAME));
        let mut lacking = Vec::new();
        let mut statements = Vec::new();
        if !self.role_exists {
            let Some(verifier) = verifier(access) else {
                return Err(ProvisionError::NoPassword { role: role.to_string() });
            };
            if !self.may_create_role {
                lacking.push(format!("role {role} does not exist"));
            }
            statements.push(ddl::create_role(role, Some(&verifier)));
        } else if !self.role_may_login {
            statements.push(ddl::allow_login(role));
        }
        if let Some(error) = refusal.filter(|_| self.role_exists) {
            match verifier(access) {
                Some(verifier) if access.may_set_password => statements.push(ddl::set_password(role, &verifier)),
                // A role that could not log in may be able to once it is allowed to.
                _ if !self.role_may_login => {}
                _ => return Err(ProvisionError::LoginRefused { error, role: role.to_string() }),
            }
        }
        if !self.database_exists {
            if !self.may_create_database {
                lacking.push(format!("database {database} does not exist"));
            }
            statements.push(ddl::create_database(database));
        }
        let may_grant = !self.database_exists || self.owns_database || self.is_superuser;
        if !self.has_database_privileges && may_grant {
            statements.push(ddl::grant_database(database, role));
        }
        if lacking.is_empty() {
            return Ok(statements);
        }
        Err(ProvisionError::NeedsAdministrator {
            reason: format!("{}, and {} may not create it", lacking.join(" and "), administrator.how),
            script: script::whole(expected, verifier(access).as_deref()),
        })
    }
}
