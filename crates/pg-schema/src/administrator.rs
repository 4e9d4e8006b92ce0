//! Who may make roles and databases: a connection that was named for it, the app's own where its rights
//! suffice, or the superuser of a server on this machine, whom the operating system vouches for.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::unistd::{Gid, Uid, User, getegid, geteuid, setegid, seteuid};
use pg_config::{Address, ConnInfo, ConnectError, Host, IdleSession, Session, SslMode, connect_administrator};

use crate::query::{query_one, settled};

/// How sessions of an administrator come about.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// The connection, to the maintenance database.
    pub connection: ConnInfo,
    /// In words, for people.
    pub how: String,
    /// The operating system's user to connect as, where that is what the server asks for.
    user: Option<User>,
    /// One in the maintenance database that is there already.
    idle_session: IdleSession,
}

impl Administrator {
    /// The connection that was named for it, or the superuser of a server that we started.
    pub fn given(connection: ConnInfo, how: impl Into<String>) -> Self {
        Self { connection, how: how.into(), user: None, idle_session: IdleSession::default() }
    }

    /// The same, where it has a session in the maintenance database already.
    pub fn with_idle_session(self, idle_session: IdleSession) -> Self {
        Self { idle_session, ..self }
    }

    /// A session in a database of the server.
    pub fn connect(&self, database: &str, wait: Duration) -> Result<Session, ConnectError> {
        let idle_session = if database == self.connection.database { self.idle_session.take() } else { None };
        idle_session.map_or_else(|| self.connect_with(database, &[], wait), Ok).map(settled)
    }

    /// The same with these settings from its start, and none that our sessions have else.
    pub fn connect_with(
        &self,
        database: &str,
        settings: &[(&str, &str)],
        wait: Duration,
    ) -> Result<Session, ConnectError> {
        let mut connection = self.connection.with_database(database);
        for (name, value) in settings {
            connection.options = connection.options.with(name, value);
        }
        match &self.user {
            Some(user) => as_user(user, || connect_administrator(&connection, wait)),
            None => connect_administrator(&connection, wait),
        }
    }
}

/// The superuser of the server that listens at `host` and `port` of this machine, by peer
/// authentication: as root we connect as the user whose socket it is, else as ourselves.
///
/// `None` where there is no socket, no such right, or the socket's server does not listen at `host`.
pub(crate) fn local_superuser(app: &ConnInfo) -> Option<Administrator> {
    if !app.host.is_this_machine() {
        return None;
    }
    let directories = match &app.host {
        Host::Unix(directory) => vec![directory.clone()],
        Host::Tcp(_) | Host::At(..) => ["/var/run/postgresql", "/run/postgresql", "/tmp"].map(PathBuf::from).to_vec(),
    };
    let directory = directories.into_iter().find(|directory| is_trusted_socket(directory, app.port))?;
    let socket_owner = User::from_uid(Uid::from_raw(socket_uid(&directory, app.port)?)).ok()??;
    let me = User::from_uid(geteuid()).ok()??;
    let user = geteuid().is_root().then(|| socket_owner.clone());
    let roles = [user.as_ref().unwrap_or(&me).name.clone(), "postgres".to_owned()];
    let socket = Address { host: Host::Unix(directory.clone()), port: app.port };
    roles.into_iter().find_map(|role| {
        let administrator = Administrator {
            connection: ConnInfo {
                ssl_mode: SslMode::Disable,
                connect_timeout: app.connect_timeout,
                ..ConnInfo::of(&socket, &role, "postgres")
            },
            how: format!("role {role} by peer authentication on {}", directory.display()),
            user: user.clone(),
            idle_session: IdleSession::default(),
        };
        let mut session = administrator.connect("postgres", Duration::ZERO).ok()?;
        let row = query_one(
            &mut session,
            "SELECT r.rolsuper, current_setting('listen_addresses'), current_setting('port')::int4 FROM pg_catalog.pg_roles r WHERE r.rolname = current_user",
            &[],
        )
        .ok()?;
        // A socket's name may lie: somebody may have linked to it.
        let is_the_apps = row.get::<_, i32>(2) == i32::from(app.port) && listens_at(row.get(1), &app.host);
        (row.get::<_, bool>(0) && is_the_apps).then_some(administrator)
    })
}

/// Whether the server of the socket is the one that the app reaches by TCP: it must listen there.
fn listens_at(listen_addresses: &str, host: &Host) -> bool {
    let name = match host {
        Host::Unix(_) => return true,
        Host::Tcp(name) => name.clone(),
        // What counts is where it is reached, not what it is called.
        Host::At(_, address) => address.to_string(),
    };
    listen_addresses.split(',').map(str::trim).any(|address| {
        matches!(address, "*" | "0.0.0.0" | "::" | "localhost")
            || *address == name
            || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback() && name == "localhost")
    })
}

fn socket_uid(directory: &Path, port: u16) -> Option<u32> {
    Some(directory.join(format!(".s.PGSQL.{port}")).metadata().ok()?.uid())
}

/// In a directory where anybody may put a socket, only our own and the packaged server's are trusted.
fn is_trusted_socket(directory: &Path, port: u16) -> bool {
    let Some(owner) = socket_uid(directory, port) else { return false };
    let anybody_may_write = directory.metadata().map_or(true, |metadata| metadata.mode() & 0o002 != 0);
    let packaged = User::from_name("postgres").ok().flatten().map(|user| user.uid.as_raw());
    !anybody_may_write || owner == geteuid().as_raw() || Some(owner) == packaged
}

/// Connects with the rights of another user of the operating system: a server asked for peer
/// authentication looks at who opens the socket. The whole process changes its effective user for the
/// length of one connection attempt.
fn as_user<T>(user: &User, connect: impl FnOnce() -> T) -> T {
    struct Back(Uid, Gid);
    impl Drop for Back {
        fn drop(&mut self) {
            // Going back to what one was is always allowed.
            let _ = seteuid(self.0);
            let _ = setegid(self.1);
        }
    }
    let _back = Back(geteuid(), getegid());
    // Where this is refused, the server refuses next, with its own words.
    let _ = setegid(user.gid);
    let _ = seteuid(user.uid);
    connect()
}
