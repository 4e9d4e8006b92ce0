//! The connections of a setup: the administrator's, which holds the lock, and the app's own.

use std::time::Duration;

use pg_config::{ConnInfo, ConnectError, Session, connect_within};
use postgres::error::SqlState;

use super::{Access, ProvisionError, Purpose, cluster::Cluster, refusal::Refusal};
use crate::{
    Administrator, Expected, ddl, lock,
    lock::LockError,
    pooler,
    query::{execute_at_once, query_one, settled},
    sql_error::SqlError,
    transaction::in_transaction,
};

/// The connections of a setup.
pub struct Connections {
    /// The administrator's session in the maintenance database; it holds the lock.
    pub(crate) maintenance: Session,
    /// Whose session that is.
    pub(crate) administrator: Administrator,
    /// The administrator's session in the app's database, once somebody asked for it.
    pub(super) inside: Option<Session>,
    /// The app's own session, where its login worked already.
    pub(crate) app: Option<Session>,
    /// Why it did not.
    pub(super) refusal: Option<ConnectError>,
    /// Roles and databases, read under the lock, until something changes them.
    pub(super) cluster: Option<Cluster>,
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

    /// Another session of the administrator's in the app's database.
    pub fn another_inside(&self, access: &Access, expected: &Expected) -> Result<Session, ConnectError> {
        self.administrator.connect(expected.database.as_str(), access.wait)
    }

    /// Another session of the app's own.
    pub fn another_app(&self, access: &Access) -> Result<Session, ConnectError> {
        connect_app(access, Some(&self.administrator))
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
                return Err(ProvisionError::NoFreeConnection(format!("\n  cause: {}", error.in_one_line())));
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
        let refusal = self.refusal.take().map(|error| Refusal::look(error, &mut self.maintenance, expected));
        gone.plan(refusal, &self.administrator, access, expected)?;
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

    /// Roles and databases, as the session that holds the lock sees them.
    pub(super) fn take_cluster(&mut self, expected: &Expected) -> Result<Cluster, ProvisionError> {
        let cluster = match self.cluster.take() {
            Some(cluster) => cluster,
            None => Cluster::read(&mut self.maintenance, expected)?,
        };
        if cluster.in_recovery { Err(ProvisionError::Standby) } else { Ok(cluster) }
    }

    /// Tries the app's login again, unless it is known why that fails: the setup that held the lock before us may have
    /// made what was missing when we first tried.
    pub(super) fn retry_login(&mut self, cluster: &Cluster, access: &Access) -> Result<(), ProvisionError> {
        let code = self.refusal.as_ref().and_then(ConnectError::code);
        let is_explained =
            !cluster.role_exists || (code == Some(&SqlState::INVALID_CATALOG_NAME) && !cluster.database_exists);
        if self.app.is_some() || is_explained {
            return Ok(());
        }
        match connect_app(access, Some(&self.administrator)) {
            Ok(session) => (self.app, self.refusal) = (Some(session), None),
            Err(error) if error.is_refusal() => self.refusal = Some(error),
            Err(error) => return Err(ProvisionError::Connect(error)),
        }
        Ok(())
    }

    /// Whether the app's session, where there is one, leads to the server of the administrator's. One that has ended is
    /// forgotten.
    pub(super) fn is_one_server(&mut self, cluster: &Cluster) -> Result<bool, SqlError> {
        let Some(app) = &mut self.app else { return Ok(true) };
        match in_transaction(app, |app, _| query_one(app, SERVER_STARTED, &[])) {
            Ok(row) => Ok(row.get::<_, String>(0) == cluster.server_started),
            Err(error) if error.is_final() => {
                self.app = None;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }
}

/// When the server was started, in ms: tells one server from another.
const SERVER_STARTED: &str = "SELECT (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000)::int8::text";

/// A session of the app's own.
pub(super) fn connect_app(access: &Access, known: Option<&Administrator>) -> Result<Session, ConnectError> {
    let session = connect_within(&access.app, access.wait)?;
    // Where the administrator's connection led to a server, the same address leads there too.
    if known.is_none_or(|known| known.connection.address() != access.app.address()) {
        refuse_pooler(access, &access.app)?;
    }
    Ok(settled(session))
}

/// What is set up is set up by sessions of our own: a pooler would hand the lock and the settings to others.
pub(super) fn refuse_pooler(access: &Access, connection: &ConnInfo) -> Result<(), ConnectError> {
    match access.may_be_pooled && pooler::has_console(connection) {
        true => Err(ConnectError::Shared { at: connection.address().to_string() }),
        false => Ok(()),
    }
}

/// The administrator's session in a database that is not the app's own to drop. All setups must agree
/// on one for their lock, so `postgres` comes before the one that the administrator's connection names.
pub(super) fn maintenance(
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

/// The app itself, where nobody else makes roles and databases.
pub(super) fn app_as_administrator(access: &Access) -> Administrator {
    Administrator::given(access.app.with_database("postgres"), "the app's own connection")
}
