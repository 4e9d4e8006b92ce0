//! Opening a connection, with every way in which that fails told apart.

use std::{
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use postgres::{Client, config::SslMode as DriverSslMode, error::DbError, error::SqlState};
use thiserror::Error;

use crate::{ConnInfo, Host, SslMode, tls::Tls};

/// What one attempt may take where nothing else is said: an address that drops packets would hold
/// everything up for minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The last attempt of a short wait is given the time that a slow network or a busy server needs.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(3);

/// After so long without a word the peer is asked whether it still lives, and again every
/// [`KEEPALIVE_INTERVAL`]: a query may take hours, but a machine or a tunnel that is gone must be noticed.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;

/// How long what was sent may stay unacknowledged (Linux): while there is such, no keepalive is sent.
const UNACKNOWLEDGED_LIMIT: Duration = Duration::from_secs(30);

/// A connection, and what the server remarked on it since it was last asked.
pub struct Session {
    /// The driver's client.
    pub client: Client,
    notices: Arc<Mutex<Vec<DbError>>>,
}

/// Why no connection came about.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nobody answered, or not in PostgreSQL's protocol.
    #[error("no server answers at {at}: {cause}")]
    Unreachable {
        /// Host and port.
        at: String,
        /// The operating system's or the driver's words.
        cause: String,
    },
    /// The server is still starting or already stopping (SQLSTATE 57P03, 57P01).
    #[error("the server at {at} is not ready: {}", .error.message())]
    NotReady {
        /// Host and port.
        at: String,
        /// The server's words.
        error: Box<DbError>,
    },
    /// The server answered and refused: password, role, database, `pg_hba.conf`.
    #[error("{user} may not connect to {database} at {at}: {} ({})", .error.message(), .error.code().code())]
    Refused {
        /// Host and port.
        at: String,
        /// The role, quoted.
        user: String,
        /// The database, quoted.
        database: String,
        /// The server's words.
        error: Box<DbError>,
    },
    /// The server wants a password, and none is known.
    #[error("the server at {at} wants a password for {user}, and none was given")]
    NoPassword {
        /// Host and port.
        at: String,
        /// The role, quoted.
        user: String,
    },
}

impl ConnectError {
    /// The server's SQLSTATE, where it was the server that refused.
    pub fn code(&self) -> Option<&SqlState> {
        match self {
            Self::NotReady { error, .. } | Self::Refused { error, .. } => Some(error.code()),
            Self::Unreachable { .. } | Self::NoPassword { .. } => None,
        }
    }

    /// Whether waiting may help.
    fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NotReady { .. })
    }
}

/// Opens one connection, in one attempt.
pub fn connect(info: &ConnInfo) -> Result<Session, ConnectError> {
    attempt(info, info.connect_timeout.unwrap_or(CONNECT_TIMEOUT))
}

/// One attempt, given up after `limit`: the driver limits the opening of the socket alone, and would wait
/// for ever for whoever accepts it and says nothing.
fn attempt(info: &ConnInfo, limit: Duration) -> Result<Session, ConnectError> {
    let (sender, receiver) = mpsc::channel();
    let own = info.clone();
    thread::spawn(move || {
        // Nobody may be listening any more.
        let _ = sender.send(open(&own, limit));
    });
    receiver.recv_timeout(limit).unwrap_or_else(|_| {
        let cause = format!("it did not let us in within {} s", limit.as_secs());
        Err(ConnectError::Unreachable { at: format!("{}:{}", info.host, info.port), cause })
    })
}

fn open(info: &ConnInfo, limit: Duration) -> Result<Session, ConnectError> {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let mut config = driver_config(info);
    config.connect_timeout(limit);
    config.notice_callback({
        let notices = notices.clone();
        move |notice| {
            if let Ok(mut notices) = notices.lock() {
                notices.push(notice);
            }
        }
    });
    match config.connect(Tls) {
        Ok(client) => Ok(Session { client, notices }),
        Err(error) => Err(classify(info, &error)),
    }
}

/// Opens a connection to a server that may still be starting: tries again until `wait` is over.
pub fn connect_within(info: &ConnInfo, wait: Duration) -> Result<Session, ConnectError> {
    let deadline = Instant::now() + wait;
    let mut pause = Duration::from_millis(1);
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).max(SHORTEST_ATTEMPT);
        match attempt(info, info.connect_timeout.unwrap_or(CONNECT_TIMEOUT).min(left)) {
            Err(error) if error.may_pass() && Instant::now() + pause < deadline => {
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(250));
            }
            outcome => return outcome,
        }
    }
}

impl Session {
    /// The server's notices and warnings since the last call.
    pub fn take_notices(&mut self) -> Vec<DbError> {
        self.notices.lock().map(|mut notices| std::mem::take(&mut *notices)).unwrap_or_default()
    }
}

fn driver_config(info: &ConnInfo) -> postgres::Config {
    let mut config = postgres::Config::new();
    config.user(&info.user).dbname(&info.database).port(info.port);
    match &info.host {
        Host::Tcp(name) => config.host(name),
        Host::Unix(directory) => config.host_path(directory),
    };
    // libpq ignores `sslmode` on a Unix socket; the driver would fail.
    config.ssl_mode(match (&info.host, info.ssl_mode) {
        (Host::Unix(_), _) | (_, SslMode::Disable) => DriverSslMode::Disable,
        (_, SslMode::Prefer) => DriverSslMode::Prefer,
        (_, SslMode::Require) => DriverSslMode::Require,
    });
    config
        .keepalives(true)
        .keepalives_idle(KEEPALIVE_IDLE)
        .keepalives_interval(KEEPALIVE_INTERVAL)
        .keepalives_retries(KEEPALIVE_RETRIES)
        .tcp_user_timeout(UNACKNOWLEDGED_LIMIT);
    if let Some(password) = &info.password {
        config.password(password.reveal());
    }
    if !info.options.is_empty() {
        config.options(&info.options.to_string());
    }
    if let Some(name) = &info.application_name {
        config.application_name(name);
    }
    config
}

fn classify(info: &ConnInfo, error: &postgres::Error) -> ConnectError {
    let at = format!("{}:{}", info.host, info.port);
    match error.as_db_error() {
        Some(server) if [SqlState::CANNOT_CONNECT_NOW, SqlState::ADMIN_SHUTDOWN].contains(server.code()) => {
            ConnectError::NotReady { at, error: Box::new(server.clone()) }
        }
        Some(server) => ConnectError::Refused {
            at,
            user: format!("role \"{}\"", info.user),
            database: format!("database \"{}\"", info.database),
            error: Box::new(server.clone()),
        },
        None if info.password.is_none() && chain(error).contains("password missing") => {
            ConnectError::NoPassword { at, user: format!("role \"{}\"", info.user) }
        }
        None => {
            let cause = chain(error);
            // The sentence around says so already.
            let cause = cause.strip_prefix("error connecting to server: ").unwrap_or(&cause).to_owned();
            ConnectError::Unreachable { at, cause }
        }
    }
}

/// An error and its causes in one line: the driver's own words are seldom enough.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_gone_is_noticed() {
        let info = ConnInfo {
            host: Host::Tcp("h".to_owned()),
            port: 5432,
            user: "u".to_owned(),
            password: None,
            database: "d".to_owned(),
            options: crate::Options::default(),
            ssl_mode: SslMode::Disable,
            application_name: None,
            connect_timeout: None,
        };
        let config = driver_config(&info);
        assert!(config.get_keepalives());
        let asked = config.get_keepalives_interval().zip(config.get_keepalives_retries());
        let noticed = asked.map(|(interval, retries)| config.get_keepalives_idle() + interval * retries);
        assert_eq!(noticed, Some(Duration::from_secs(45)));
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_secs(30)));
    }
}
