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
    query::{SqlError, execute, query_one},
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
    /// The role exists, and its login is refused.
    #[error("{error}; {done}\n  help: {help}")]
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
        "{how} may not create databases, so database {database} was not dropped: it could not be made again\n  help: set ADMIN_DATABASE_URL to a connection that may create databases"
    )]
    MayNotRecreate {
        /// Whose connection it is.
        how: String,
        /// The database, quoted.
        database: String,
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
    let mut maintenance = match administrator.connect(&administrator.connection.database, access.wait) {
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
    if purpose == Purpose::Drop && !Cluster::read(&mut maintenance, expected)?.may_create_database {
        let database = expected.database.to_string();
        return Err(ProvisionError::MayNotRecreate { how: administrator.how, database });
    }
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
    let code = connections.refusal.as_ref().and_then(ConnectError::code);
    let is_explained =
        !cluster.role_exists || (code == Some(&SqlState::INVALID_CATALOG_NAME) && !cluster.database_exists);
    if connections.app.is_none() && !is_explained {
        // The setup that held the lock before us may have made what was missing when we first tried.
        match connect_within(&access.app, access.wait) {
            Ok(session) => (connections.app, connections.refusal) = (Some(session), None),
            Err(error @ (ConnectError::Refused { .. } | ConnectError::NoPassword { .. })) => {
                connections.refusal = Some(error);
            }
            Err(error) => return Err(ProvisionError::NoServer(error)),
        }
    }
    // Rights come first: what cannot be finished is not begun.
    let refusal = connections.refusal.take();
    let plan = cluster.plan(refusal, &connections.administrator, access, expected)?;
    if !cluster.has_database_privileges && !cluster.may_grant() {
        refuse_hopeless_schema(connections, &cluster, access, expected)?;
    }
    if !expected.extensions.is_empty() {
        refuse_hopeless_extension(connections, &cluster, access, expected)?;
    }
    if !plan.is_empty()
        && let Some(app) = &mut connections.app
        && query_one(app, "SELECT pg_catalog.pg_postmaster_start_time()::text", &[])?.get::<_, String>(0)
            != cluster.server_started
    {
        return Err(ProvisionError::DifferentServers { how: connections.administrator.how.clone() });
    }
    let mut run = Run::default();
    for statement in plan {
        run.must(&mut connections.maintenance, By::Administrator, &statement)?;
    }
    let mut app = match connections.app.take() {
        Some(session) => session,
        None => connect_within(&access.app, access.wait).map_err(|error| match error {
            ConnectError::Refused { .. } | ConnectError::NoPassword { .. } => {
                login_refused(error, expected, &run.changes, &connections.administrator)
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
        let text = statement.split(" PASSWORD '").next().unwrap_or(statement).to_owned();
        let warnings = session.take_notices().into_iter().filter(|notice| notice.severity() == "WARNING");
        self.warnings.extend(warnings.map(|warning| format!("{}: {text}", warning.message())));
        self.changes.push(Change { statement: text, by });
        Ok(())
    }

    /// Adds to what is told of the last statement, if it was run, who owned the object before.
    fn remark_owner(&mut self, statement: &str, before: &Identifier) {
        if let Some(change) = self.changes.last_mut().filter(|change| change.statement == statement) {
            change.statement = format!("{statement} -- owned by {before} before");
        }
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

/// What a refused login means, and what to do, once the role is known to exist.
fn login_refused(
    error: ConnectError,
    expected: &Expected,
    changes: &[Change],
    administrator: &Administrator,
) -> ProvisionError {
    let (role, database) = (&expected.role, &expected.database);
    let done = match changes {
        [] => format!("role {role} exists, and nothing was changed"),
        _ => {
            let statements: Vec<_> = changes.iter().map(|change| change.statement.as_str()).collect();
            let ConnInfo { host, port, .. } = &administrator.connection;
            format!("changed before, on {host}:{port} by {}: {}", administrator.how, statements.join("; "))
        }
    };
    let is_password = matches!(error, ConnectError::NoPassword { .. })
        || error.code().is_some_and(|code| *code == SqlState::INVALID_PASSWORD);
    let help = if is_password && changes.is_empty() {
        format!(
            "correct the password in DATABASE_URL or DB_PASSWORD, or change the role's:\n        \\password {role}   (in psql, as an administrator), or cargo xtask db-setup --set-password"
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

/// Nobody here may let the app make its schema: then it must be there, and the app's to use or the
/// administrator's to grant.
fn refuse_hopeless_schema(
    connections: &mut Connections,
    cluster: &Cluster,
    access: &Access,
    expected: &Expected,
) -> Result<(), ProvisionError> {
    let Expected { role, database, schema, .. } = expected;
    let mut own = None;
    let session = in_database(connections, &mut own, access, expected)?;
    let names = [schema.as_str(), role.as_str(), cluster.administrator.as_str()];
    let row = query_one(session, include_str!("sql/schema_prospect.sql"), &names)?;
    let is_there: bool = row.get("schema_exists");
    if row.get("may_be_made") || row.get("is_usable") || row.get("may_be_granted") {
        return Ok(());
    }
    let state = if is_there { "exists, and role" } else { "does not exist, and role" };
    let lack = if is_there { "may not create in it" } else { "may not create it" };
    Err(ProvisionError::NeedsAdministrator {
        reason: format!(
            "schema {schema} of database {database} {state} {role} {lack}; {} may not grant that",
            connections.administrator.how
        ),
        script: script::whole(expected, verifier(access).as_deref()),
    })
}

/// An extension that cannot be made is known before anything else is.
fn refuse_hopeless_extension(
    connections: &mut Connections,
    cluster: &Cluster,
    access: &Access,
    expected: &Expected,
) -> Result<(), ProvisionError> {
    let mut own = None;
    let session = match cluster.database_exists {
        true => in_database(connections, &mut own, access, expected)?,
        false => &mut connections.maintenance,
    };
    match administrator::lacks_extension(session, &cluster.administrator, expected)? {
        None => Ok(()),
        Some(reason) => Err(ProvisionError::NeedsAdministrator {
            reason,
            script: script::whole(expected, verifier(access).as_deref()),
        }),
    }
}

/// A session in the app's database, which exists: the app's own, or one of the administrator's.
fn in_database<'a>(
    connections: &'a mut Connections,
    own: &'a mut Option<Session>,
    access: &Access,
    expected: &Expected,
) -> Result<&'a mut Session, ProvisionError> {
    if let Some(app) = &mut connections.app {
        return Ok(app);
    }
    let administrator = &connections.administrator;
    let session = administrator
        .connect(expected.database.as_str(), access.wait)
        .map_err(|error| ProvisionError::Administrator { how: administrator.how.clone(), error })?;
    Ok(own.insert(session))
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
        (Some(session), _) => match administrator::lacks(session, expected, purpose)? {
            None => return Ok(itself),
            Some(reason) => reason,
        },
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
    /// Whether the administrator may grant on the database, which is or will be its own.
    fn may_grant(&self) -> bool {
        !self.database_exists || self.owns_database || self.is_superuser
    }

    /// What the administrator runs in the maintenance database; or why it may not.
    fn plan(
        &self,
        refusal: Option<ConnectError>,
        administrator: &Administrator,
        access: &Access,
        expected: &Expected,
    ) -> Result<Vec<String>, ProvisionError> {
        let (role, database) = (&expected.role, &expected.database);
        // What is about to be made or granted is no reason to stop.
        let refusal = refusal.filter(|error| match error.code() {
            Some(code) if *code == SqlState::INVALID_CATALOG_NAME => false,
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => !self.may_grant(),
            _ => true,
        });
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
                _ => return Err(login_refused(error, expected, &[], administrator)),
            }
        }
        if !self.database_exists {
            if !self.may_create_database {
                lacking.push(format!("database {database} does not exist"));
            }
            statements.push(ddl::create_database(database));
        }
        if !self.has_database_privileges && self.may_grant() {
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
