//! From whatever is there to the desired state. It is asserted on every run: that something exists
//! already is never a reason to stop early, and what is right already is not touched.

mod cluster;
pub(crate) mod database;
mod error;
mod rest;
mod rights;
mod run;

use std::time::Duration;

use pg_config::{ConnInfo, ConnectError, Identifier, Password, Session, connect, connect_within};
use postgres::error::SqlState;

use self::{
    cluster::Cluster,
    error::{login_refused, options_refused},
    rights::{
        app_as_administrator, find_administrator, refuse_hopeless_extension, refuse_hopeless_schema, refuse_other_path,
    },
    run::Run,
};
pub use self::{error::ProvisionError, rest::Rest};
use crate::{
    Administrator, Expected, Facts, ddl, lock,
    lock::LockError,
    pooler,
    query::{SqlError, execute_at_once, in_transaction, query_one, settled},
    record::record_path,
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
    /// Where its password is from, in words.
    pub password_source: Option<String>,
    /// Whether a pooler may stand before the server: it is not one that we started.
    pub may_be_pooled: bool,
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
    /// Mend what was found: whatever the rights suffice for.
    Mend,
}

/// The connections of a setup.
pub struct Connections {
    /// The administrator's session in the maintenance database; it holds the lock.
    pub(crate) maintenance: Session,
    /// Whose session that is.
    pub(crate) administrator: Administrator,
    /// The administrator's session in the app's database, once somebody asked for it.
    inside: Option<Session>,
    /// The app's own session, where its login worked already.
    pub(crate) app: Option<Session>,
    /// Why it did not.
    refusal: Option<ConnectError>,
    /// Roles and databases, read under the lock, until something changes them.
    cluster: Option<Cluster>,
}

/// A database in the desired state.
pub struct Provisioned {
    /// The app's own session, opened after the last change.
    pub app: Session,
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

/// Opens the connections and finds out who is administrator. Changes nothing.
pub fn open(access: &Access, expected: &Expected, purpose: Purpose) -> Result<Connections, ProvisionError> {
    if purpose != Purpose::Mend {
        refuse_other_path(access, expected)?;
    }
    let (mut app, refusal) = match connect_app(access, None) {
        Ok(session) => (Some(session), None),
        Err(error) if error.is_refused_parameter() => return Err(options_refused(error, expected)),
        // A damaged database can still be dropped.
        Err(error) if error.is_refusal() || (error.is_damage() && purpose == Purpose::Drop) => (None, Some(error)),
        Err(error) => return Err(ProvisionError::Connect(error)),
    };
    let administrator = match &access.administrator {
        Some(administrator) => administrator.clone(),
        None => find_administrator(access, expected, purpose, app.as_mut(), refusal.as_ref())?,
    };
    if app.is_none() || administrator.connection.address() != access.app.address() {
        refuse_pooler(access, &administrator.connection).map_err(ProvisionError::Connect)?;
    }
    let mut maintenance = maintenance(access, expected, purpose, &administrator)?;
    if purpose == Purpose::Drop && !Cluster::read(&mut maintenance, expected)?.may_create_database {
        let database = expected.database.to_string();
        return Err(ProvisionError::MayNotRecreate { how: administrator.how, database });
    }
    Ok(Connections { maintenance, administrator, inside: None, app, refusal, cluster: None })
}

/// A session of the app's own.
fn connect_app(access: &Access, known: Option<&Administrator>) -> Result<Session, ConnectError> {
    let session = connect_within(&access.app, access.wait)?;
    // Where the administrator's connection led to a server, the same address leads there too.
    if known.is_none_or(|known| known.connection.address() != access.app.address()) {
        refuse_pooler(access, &access.app)?;
    }
    Ok(settled(session))
}

/// What is set up is set up by sessions of our own: a pooler would hand the lock and the settings to others.
fn refuse_pooler(access: &Access, connection: &ConnInfo) -> Result<(), ConnectError> {
    match access.may_be_pooled && pooler::has_console(connection) {
        true => Err(ConnectError::Shared { at: connection.address().to_string() }),
        false => Ok(()),
    }
}

/// The administrator's session in a database that is not the app's own to drop. All setups must agree
/// on one for their lock, so `postgres` comes before the one that the administrator's connection names.
fn maintenance(
    access: &Access,
    expected: &Expected,
    purpose: Purpose,
    administrator: &Administrator,
) -> Result<Session, ProvisionError> {
    let named = administrator.connection.database.as_str();
    let mut candidates = vec!["postgres", named, "template1"];
    candidates.retain(|candidate| purpose != Purpose::Drop || *candidate != expected.database.as_str());
    let mut refusal = None;
    for candidate in candidates {
        match administrator.connect(candidate, access.wait) {
            Ok(session) => return Ok(session),
            Err(error) if error.is_refusal() => {
                refusal.get_or_insert(error);
            }
            Err(error) => return Err(ProvisionError::Connect(error)),
        }
    }
    // Where the app's own rights suffice, it may still be kept out of every database but its own.
    if purpose != Purpose::Drop && administrator.connection == app_as_administrator(access).connection {
        let mut session = connect_app(access, Some(administrator)).map_err(ProvisionError::Connect)?;
        execute_at_once(&mut session, ddl::SAFE_PATH)?;
        return Ok(session);
    }
    let how = administrator.how.clone();
    match refusal {
        Some(error) => Err(ProvisionError::Administrator { how, error }),
        None => Err(ProvisionError::MayNotRecreate { how, database: expected.database.to_string() }),
    }
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

    /// Who makes roles and databases; the sessions end.
    pub fn into_administrator(self) -> Administrator {
        self.administrator
    }

    /// The role that makes roles and databases.
    pub fn administrator_role(&self) -> &str {
        &self.administrator.connection.user
    }

    /// Whether nobody else than the app's own role makes roles and databases here.
    pub(crate) fn app_is_administrator(&self, expected: &Expected) -> bool {
        self.administrator.connection.user == expected.role.as_str()
    }

    /// The administrator's session in the app's database, and whether it is there: where that keeps it out, it is the
    /// one in the maintenance database, in which nothing of the app's may be done.
    pub(crate) fn administrator_inside(&mut self, expected: &Expected) -> (&mut Session, bool) {
        if self.inside.is_none() {
            self.inside = self.administrator.connect(expected.database.as_str(), Duration::ZERO).ok();
        }
        match &mut self.inside {
            Some(session) => (session, true),
            None => (&mut self.maintenance, false),
        }
    }

    /// Ends the sessions in the app's database, which changes, or may have changed before the lock was ours.
    pub fn leave(&mut self) {
        (self.app, self.refusal, self.inside, self.cluster) = (None, None, None, None);
    }

    /// Whether a reset may have left something; asked under the lock. What was read serves the provisioning too.
    pub(crate) fn is_interrupted(&mut self, expected: &Expected) -> Result<bool, SqlError> {
        let cluster = Cluster::read(&mut self.maintenance, expected)?;
        let is_interrupted = cluster.is_interrupted;
        self.cluster = (!is_interrupted).then_some(cluster);
        Ok(is_interrupted)
    }

    /// The session that may change settings of the app's role: the administrator's, or else the app's own.
    pub(crate) fn of_role(&mut self, access: &Access, expected: &Expected) -> Result<&mut Session, ProvisionError> {
        if Cluster::read(&mut self.maintenance, expected)?.may_alter_role {
            return Ok(&mut self.maintenance);
        }
        let app = connect_app(access, Some(&self.administrator)).map_err(ProvisionError::Connect)?;
        Ok(self.app.insert(app))
    }

    /// Whether the database, if it is gone, can be made and migrated again: rights, the app's login, and as many
    /// connections as that takes at once. Changes nothing. Gives whether files of the database are missing or damaged.
    pub fn check_rebuild(&mut self, access: &Access, expected: &Expected) -> Result<bool, ProvisionError> {
        let cluster = Cluster::read(&mut self.maintenance, expected)?;
        if cluster.in_recovery {
            return Err(ProvisionError::Standby);
        }
        self.leave();
        let mut is_damaged = false;
        if cluster.database_exists && cluster.role_exists {
            // The setup's own, and the migrate command's beside it.
            let sessions = [(); 2].map(|()| connect_app(access, Some(&self.administrator)));
            let inside = self.administrator.connect(expected.database.as_str(), Duration::ZERO);
            let refusals = sessions.iter().filter_map(|session| session.as_ref().err()).chain(inside.as_ref().err());
            if let Some(error) = { refusals }.find(|error| error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)) {
                return Err(ProvisionError::NoFreeConnection(error.to_string()));
            }
            match sessions.into_iter().next() {
                Some(Ok(session)) => self.app = Some(session),
                Some(Err(error)) if error.is_refusal() => self.refusal = Some(error),
                Some(Err(error)) if error.is_damage() => is_damaged = true,
                Some(Err(error)) => return Err(ProvisionError::Connect(error)),
                None => {}
            }
        }
        let gone = Cluster { database_exists: false, has_database_privileges: false, ..cluster };
        gone.plan(self.refusal.take(), &self.administrator, access, expected)?;
        Ok(is_damaged)
    }

    /// Whether the lock's session still lives: a lock that was lost kept nobody out.
    pub fn keep_lock(&mut self) -> Result<(), SqlError> {
        execute_at_once(&mut self.maintenance, "SELECT")
    }

    /// Takes the lock, for as long as the connections live. `command` tells others what holds it.
    ///
    /// A command that held it before us may have ended the app's session, by a reset, or changed the path that a new one
    /// is given.
    pub fn lock(&mut self, command: &str, wait: Duration, say: &mut dyn FnMut(&str)) -> Result<(), LockError> {
        // Those that wait must leave connections to the one that works.
        if lock::acquire(&mut self.maintenance, command, Duration::ZERO, say).is_ok() {
            return Ok(());
        }
        self.leave();
        lock::acquire(&mut self.maintenance, command, wait, say)
    }

    /// A session of the app's own that begins under the lock.
    pub fn new_app(&mut self, access: &Access) -> Result<Session, ConnectError> {
        self.leave();
        connect_app(access, Some(&self.administrator))
    }
}

/// Waits for the lock, where another command has it as far as the app's or the administrator's connection can tell. What
/// is seen while a database is made is no finding: who looks again holds the session, and with it the lock.
pub fn wait_for_others(
    access: &Access,
    command: &str,
    wait: Duration,
    say: &mut dyn FnMut(&str),
) -> Result<Option<Session>, LockError> {
    // As all that set up agree on.
    let database = "postgres";
    let session = match &access.administrator {
        Some(administrator) => administrator.connect(database, Duration::ZERO),
        None => connect(&access.app.with_database(database)).map(settled),
    };
    let Ok(mut session) = session else { return Ok(None) };
    if !lock::is_held(&mut session)? {
        return Ok(None);
    }
    lock::acquire(&mut session, command, wait, say)?;
    Ok(Some(session))
}

/// Makes what is missing and mends what is wrong: role, database, extensions, schema, paths, privileges.
/// `tell` hears of each change as it happens.
pub fn provision(
    connections: &mut Connections,
    access: &Access,
    expected: &Expected,
    tell: &mut dyn FnMut(&Change),
) -> Result<Provisioned, ProvisionError> {
    let cluster = match connections.cluster.take() {
        Some(cluster) => cluster,
        None => Cluster::read(&mut connections.maintenance, expected)?,
    };
    if cluster.in_recovery {
        return Err(ProvisionError::Standby);
    }
    let code = connections.refusal.as_ref().and_then(ConnectError::code);
    let is_explained =
        !cluster.role_exists || (code == Some(&SqlState::INVALID_CATALOG_NAME) && !cluster.database_exists);
    if connections.app.is_none() && !is_explained {
        // The setup that held the lock before us may have made what was missing when we first tried.
        match connect_app(access, Some(&connections.administrator)) {
            Ok(session) => (connections.app, connections.refusal) = (Some(session), None),
            Err(error) if error.is_refusal() => {
                connections.refusal = Some(error);
            }
            Err(error) => return Err(ProvisionError::Connect(error)),
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
    {
        match in_transaction(app, |app, _| query_one(app, SERVER_STARTED, &[])) {
            Ok(row) if row.get::<_, String>(0) == cluster.server_started => {}
            Ok(_) => return Err(ProvisionError::DifferentServers { how: connections.administrator.how.clone() }),
            Err(error) if error.is_final() => connections.app = None,
            Err(error) => return Err(error.into()),
        }
    }
    let mut run = Run::new(tell);
    for statement in plan {
        run.must(&mut connections.maintenance, By::Administrator, &statement)?;
    }
    let mut app = match connections.app.take() {
        Some(session) => session,
        None => connect_app(access, Some(&connections.administrator)).map_err(|error| match error.is_refusal() {
            true => login_refused(error, expected, &run.changes, &connections.administrator, None),
            false => ProvisionError::Connect(error),
        })?,
    };
    let expected =
        Expected { administrator: Some(Identifier::from_catalog(&cluster.administrator)), ..expected.clone() };
    let facts = match Facts::read(&mut app, &expected) {
        // It began before the lock, and a reset has ended it since.
        Err(error) if error.is_final() => {
            app = connect_app(access, Some(&connections.administrator)).map_err(ProvisionError::Connect)?;
            Facts::read(&mut app, &expected)?
        }
        outcome => outcome?,
    };
    if facts.server_started != cluster.server_started {
        return Err(ProvisionError::DifferentServers { how: connections.administrator.how.clone() });
    }
    if facts.database.name != expected.database || facts.role.name != expected.role {
        return Err(ProvisionError::WrongDatabase {
            found: facts.database.name.to_string(),
            role: facts.role.name.to_string(),
            expected: format!("{} as role {}", expected.database, expected.role),
        });
    }
    refuse_second_copy(&facts, &expected)?;
    database::assert(&mut app, &connections.administrator, &cluster, &facts, access, &expected, &mut run)?;
    let is_to_be_recorded = was_set_by_others(&facts);
    if is_to_be_recorded {
        record_path(&mut app, &expected)?;
    }
    let is_settled = run.changes.is_empty() && run.left.is_empty() && !is_to_be_recorded;
    // A session that began before the paths changed has the old one: the app's next one begins after.
    let is_stale = access.app.options.get("search_path").is_none()
        && facts.path.stored.schema.as_ref() == Some(&expected.schema)
        && facts.path.current_schema.as_ref() != Some(&expected.schema);
    if !is_settled || is_stale {
        app = connect_app(access, Some(&connections.administrator)).map_err(ProvisionError::Connect)?;
    }
    let facts = (is_settled && !is_stale).then_some(facts);
    Ok(Provisioned { app, left: run.left, warnings: run.warnings, expected, facts })
}

/// When the server was started, in ms: tells one server from another.
const SERVER_STARTED: &str = "SELECT (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000)::int8::text";

/// Where the schema is empty and the app's tables lie elsewhere, they were moved, or their schema renamed: the
/// migrations would make empty ones beside them.
fn refuse_second_copy(facts: &Facts, expected: &Expected) -> Result<(), ProvisionError> {
    match facts.table_elsewhere(expected) {
        None => Ok(()),
        Some(table) => Err(ProvisionError::TablesElsewhere {
            table: table.object.qualified(),
            role: expected.role.to_string(),
            schema: expected.schema.to_string(),
        }),
    }
}

/// Whether somebody has set the path of the app's role since we wrote down that we did.
fn was_set_by_others(facts: &Facts) -> bool {
    let known = facts.schema.as_ref().and_then(|schema| schema.remark.path.as_ref());
    let winner = facts.path.layers.first().filter(|layer| layer.layer == "role in database");
    matches!((known, winner), (Some(known), Some(winner)) if known.path != winner.path)
}

/// What is sent instead of the app's password.
fn verifier(access: &Access) -> Option<String> {
    let of = if access.password_is_generated { Password::quick_verifier } else { Password::verifier };
    access.app.password.as_ref().map(of)
}
