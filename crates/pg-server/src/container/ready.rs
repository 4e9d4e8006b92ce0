//! Whether the server in a container serves: told by a login at its final address, and by nothing else.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use pg_config::{ConnInfo, ConnectError, Host, Options, Parameters, SslMode};

use super::{ContainerError, Helper, Kept, PORT};
use crate::{
    engine::{Engine, Seen},
    poll,
    template::SUPERUSER,
};

/// A server that let us in.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) superuser: ConnInfo,
    /// `server_version`, without the packager's addition.
    pub(crate) version: String,
}

/// What a login came to.
enum Login {
    Ready(Box<Running>),
    /// It lets nobody in yet: what it said.
    Busy(String),
    /// Another server answers there.
    Foreign,
}

/// Proves which server answers. Any query would show that it is ready.
const IDENTITY: &str = "SELECT current_setting('cluster_name'), current_setting('server_version')";

const LOGIN_LIMIT: Duration = Duration::from_secs(5);

/// The server, if its container runs: waited for until the deadline.
pub(crate) fn find(kept: &Kept, engine: &Engine, deadline: Instant) -> Result<Option<Running>, ContainerError> {
    let found = poll::until(deadline, || match look(kept, engine) {
        Ok(Looked::Ready(running)) => Some(Ok(Some(*running))),
        Ok(Looked::Busy(_)) => None,
        Ok(Looked::Ended(_)) => Some(Ok(None)),
        Err(error) => Some(Err(error)),
    });
    found.unwrap_or(Ok(None))
}

/// The server of a container that was just started.
pub(crate) fn wait(
    kept: &Kept,
    engine: &Engine,
    helper: &Helper,
    waited: Duration,
    deadline: Instant,
) -> Result<Running, ContainerError> {
    let name = || kept.name().to_owned();
    let mut seen = "nothing happened".to_owned();
    let found = poll::until(deadline, || match look(kept, engine) {
        Ok(Looked::Ready(running)) => Some(Ok(*running)),
        Ok(Looked::Busy(words)) => {
            seen = words;
            None
        }
        Ok(Looked::Ended(how)) => Some(Err(ContainerError::Exited { name: name(), how, log: helper.log(kept) })),
        Err(error) => Some(Err(error)),
    });
    found.unwrap_or_else(|| Err(ContainerError::NotReady { name: name(), waited, seen, log: helper.log(kept) }))
}

enum Looked {
    Ready(Box<Running>),
    Busy(String),
    /// The container does not run: how it is.
    Ended(String),
}

fn look(kept: &Kept, engine: &Engine) -> Result<Looked, ContainerError> {
    let (port, address) = match engine.container(kept.name())? {
        Seen::Running { port, address } => (port, address),
        Seen::Unasked => (kept.port, None),
        Seen::Absent => return Ok(Looked::Ended("it is gone".to_owned())),
        Seen::Ended(how) => return Ok(Looked::Ended(how)),
    };
    let mut words = "no port of it is published".to_owned();
    let host = engine.remote_host().unwrap_or("127.0.0.1");
    let published = port.map(|port| (host.to_owned(), port));
    // From inside another container this machine's own loopback address does not lead there.
    let inside = address.filter(|_| engine.remote_host().is_none() && is_container()).map(|address| (address, PORT));
    for (host, port) in published.into_iter().chain(inside) {
        match log_in(kept, host, port)? {
            Login::Ready(running) => return Ok(Looked::Ready(running)),
            Login::Busy(said) => words = said,
            Login::Foreign => words = format!("on port {port} another server answers"),
        }
    }
    Ok(Looked::Busy(words))
}

/// Whether we run in a container ourselves (Docker's mark, Podman's).
fn is_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists())
}

fn log_in(kept: &Kept, host: String, port: u16) -> Result<Login, ContainerError> {
    let refused =
        |words: String| ContainerError::Login { name: kept.name().to_owned(), words, password: kept.password_file() };
    let superuser = ConnInfo {
        host: Host::Tcp(host),
        port,
        user: SUPERUSER.to_owned(),
        password: Some(kept.password()?),
        database: "postgres".to_owned(),
        options: Options::default(),
        ssl_mode: SslMode::Disable,
        application_name: None,
        connect_timeout: Some(LOGIN_LIMIT),
        more: Parameters::default(),
        default_certificates: None,
    };
    let mut session = match pg_config::connect(&superuser) {
        Ok(session) => session,
        Err(ConnectError::Refused { error, .. }) if !error.code().code().starts_with("57P") => {
            return Err(refused(format!("{} ({})", error.message(), error.code().code())));
        }
        Err(error) => return Ok(Login::Busy(error.to_string())),
    };
    let Ok(row) = session.client.query_one(IDENTITY, &[]) else {
        return Ok(Login::Busy("it is just stopping".to_owned()));
    };
    let (name, version): (String, String) = (row.get(0), row.get(1));
    if name != kept.name() {
        return Ok(Login::Foreign);
    }
    let version = version.split_whitespace().next().unwrap_or_default().to_owned();
    Ok(Login::Ready(Box::new(Running { superuser, version })))
}
