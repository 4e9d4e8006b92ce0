//! The administrator's connection, which may leave to the app's own what it does not say.

use super::{Address, SessionSettings, Sourced, connection::default_host};
use crate::{ConnInfo, ConnString, SslMode, environment::Layer};

/// The server that one source names for the app, whatever a higher one says, and how it is spoken to.
pub(super) struct OwnServer {
    pub(super) layer: Layer,
    pub(super) named: Option<Address>,
    pub(super) ssl_mode: Option<SslMode>,
}

/// The administrator's connection: what its URL leaves open is the app's own server.
pub(super) fn connection(url: ConnString, named: Option<&Sourced<Address>>, session: &SessionSettings) -> ConnInfo {
    let port = url.port.or(if url.host.is_none() { named.map(|found| found.value.port) } else { None }).unwrap_or(5432);
    let host = url.host.or_else(|| named.map(|found| found.value.host.clone())).unwrap_or_else(|| default_host(port));
    ConnInfo {
        host,
        port,
        user: url.user.unwrap_or_else(|| "postgres".to_owned()),
        password: url.password,
        database: url.database.unwrap_or_else(|| "postgres".to_owned()),
        options: url.options.unwrap_or_default(),
        ssl_mode: url.ssl_mode.unwrap_or(session.ssl_mode),
        application_name: url.application_name,
        connect_timeout: url.connect_timeout.or(session.connect_timeout),
    }
}

/// Without a host the URL means the server that its own source names: where a higher source names another,
/// its password is not sent there. Gives what is not used, and why.
pub(super) fn keep_to_own_server(
    url: &mut Sourced<ConnString>,
    own: &OwnServer,
    named: Option<&Sourced<Address>>,
) -> Option<String> {
    if url.value.host.is_some() {
        url.value.ssl_mode = url.value.ssl_mode.or(own.ssl_mode);
        return None;
    }
    let named = named.filter(|named| own.named.as_ref().is_some_and(|own| *own != named.value))?;
    url.value.password.take()?;
    Some(format!("the password of {}: {} names another server", url.source, named.source))
}
