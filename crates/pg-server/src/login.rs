//! Logging in, as its superuser, to a server that we started.

use std::time::Duration;

use pg_config::{Address, ConnInfo, ConnectError, Host, IdleSession, Password, SslMode};

/// The superuser of every server that we start.
pub(crate) const SUPERUSER: &str = "postgres";

/// A server on the loopback address answers in 2 ms; 5 s are for a machine that swaps.
const LIMIT: Duration = Duration::from_secs(5);

/// Proves which server answers. Any query would show that it is ready.
const IDENTITY: &str = "SELECT current_setting('data_directory'), current_setting('cluster_name'), \
                        current_setting('server_version'), current_setting('fsync')";

/// A server that answered its superuser's query.
#[derive(Clone, Debug)]
pub(crate) struct LoggedIn {
    pub(crate) superuser: ConnInfo,
    /// The superuser's session, that has seen it answer.
    pub(crate) session: IdleSession,
    pub(crate) data_directory: String,
    pub(crate) cluster_name: String,
    /// `server_version`, without the packager's addition.
    pub(crate) version: String,
    pub(crate) fsync: bool,
}

/// Logs in once. `None`: the server ended the session before it answered.
pub(crate) fn log_in(host: &str, port: u16, password: Password) -> Result<Option<LoggedIn>, ConnectError> {
    let address = Address { host: Host::Tcp(host.to_owned()), port };
    let superuser = ConnInfo {
        password: Some(password),
        ssl_mode: SslMode::Disable,
        connect_timeout: Some(LIMIT),
        scram_only: true,
        ..ConnInfo::of(&address, SUPERUSER, "postgres")
    };
    let mut session = pg_config::connect_administrator(&superuser, Duration::ZERO)?;
    let Ok(row) = session.ask(LIMIT, |client| client.query_one(IDENTITY, &[])) else { return Ok(None) };
    let [data_directory, cluster_name, version, fsync]: [String; 4] = [0, 1, 2, 3].map(|column| row.get(column));
    Ok(Some(LoggedIn {
        superuser,
        session: IdleSession::of(session),
        data_directory,
        cluster_name,
        version: version.split_whitespace().next().unwrap_or_default().to_owned(),
        fsync: fsync == "on",
    }))
}
