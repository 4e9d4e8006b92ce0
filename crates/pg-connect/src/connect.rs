//! Opening a connection, with every way in which that fails told apart.

mod error;
mod session;
mod watch;
mod wire;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use postgres::config::{ChannelBinding, SslMode as DriverSslMode, SslNegotiation};

pub use self::{
    error::{ConnectError, further_lines_quoted, in_one_line},
    session::{BoundedClient, Encryption, IdleSession, Rights, Session},
};
use self::{
    session::Notices,
    wire::{Stance, Stub, Wire},
};
use crate::{
    ConnInfo, Host, InvalidConnString, SslMode, keepalives::Keepalives, target_session_attrs::TargetSessionAttrs,
    tls::Tls,
};

/// What one attempt may take where nothing else is said: an address that drops packets would hold
/// everything up for minutes.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The last attempt of a short wait is given the time that a slow network or a busy server needs.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(3);

/// Opens one connection, in one attempt: to each address of the host, encrypted and in the clear as `sslmode`
/// has it. As in libpq, an address that refuses the login ends it.
pub fn connect(info: &ConnInfo) -> Result<Session, ConnectError> {
    attempt(info, info.connect_timeout.unwrap_or(CONNECT_TIMEOUT))
}

/// Opens a connection to a server that may still be starting: tries again until `wait` is over. The last attempt
/// may take a little longer; as long as `connect_timeout` says, where it does.
pub fn connect_within(info: &ConnInfo, wait: Duration) -> Result<Session, ConnectError> {
    let deadline = Instant::now() + wait;
    let mut pause = Duration::ZERO;
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).max(SHORTEST_ATTEMPT);
        match attempt(info, info.connect_timeout.unwrap_or(CONNECT_TIMEOUT.min(left))) {
            Err(error) if error.may_pass() && pause_before_next(&mut pause, deadline) => {}
            outcome => return outcome,
        }
    }
}

/// One attempt where there is no time to wait, else as many as there is time for.
pub(crate) fn open(info: &ConnInfo, wait: Duration) -> Result<Session, ConnectError> {
    if wait.is_zero() { connect(info) } else { connect_within(info, wait) }
}

/// Sleeps before the next attempt, each time longer; whether there is time for one.
pub(crate) fn pause_before_next(pause: &mut Duration, deadline: Instant) -> bool {
    *pause = (*pause * 2).clamp(Duration::from_millis(1), Duration::from_millis(250));
    let has_time = Instant::now() + *pause < deadline;
    if has_time {
        thread::sleep(*pause);
    }
    has_time
}

fn attempt(info: &ConnInfo, limit: Duration) -> Result<Session, ConnectError> {
    let mut last = None;
    for ip in addresses(info, limit)? {
        match to_address(info, ip, limit) {
            // Another address of the name may be that of another server: one that answers is stayed with, as by libpq.
            Err(error) if error.may_pass() && error.is_no_server() => last = Some(error),
            outcome => return outcome.and_then(|session| wanted(info, session)),
        }
    }
    Err(last.unwrap_or_else(|| ConnectError::unreachable(info, "its name has no address")))
}

/// The addresses of the host, `None` for a socket.
fn addresses(info: &ConnInfo, limit: Duration) -> Result<Vec<Option<IpAddr>>, ConnectError> {
    let name = match &info.host {
        Host::Unix(_) => return Ok(vec![None]),
        Host::At(_, ip) => return Ok(vec![Some(*ip)]),
        Host::Tcp(name) => match name.parse() {
            Ok(ip) => return Ok(vec![Some(ip)]),
            Err(_) => name.clone(),
        },
    };
    let port = info.port;
    within(limit, move || (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>))
        .unwrap_or_else(|| Err(std::io::ErrorKind::TimedOut.into()))
        .map(|found| found.into_iter().map(|address| Some(address.ip())).collect())
        .map_err(|error| ConnectError::unreachable(info, &format!("its name cannot be looked up: {error}")))
}

/// One address, with and without TLS as `sslmode` has it.
fn to_address(info: &ConnInfo, ip: Option<IpAddr>, limit: Duration) -> Result<Session, ConnectError> {
    let (first, second) = match (&info.host, info.ssl_mode) {
        // libpq asks for no TLS on a socket, whatever `sslmode` says.
        (Host::Unix(_), _) | (_, SslMode::Disable) => (Stance::Clear, None),
        (_, SslMode::Allow) => (Stance::Clear, Some(Stance::Encrypted)),
        (_, SslMode::Prefer) => (Stance::IfOffered, Some(Stance::Clear)),
        (_, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull) => (Stance::Encrypted, None),
    };
    let (refused, second) = match (try_once(info, ip, first, limit), second) {
        (Err((error, true)), Some(second)) => (error, second),
        (outcome, _) => return outcome.map_err(|(error, _)| error),
    };
    match try_once(info, ip, second, limit) {
        Ok(mut session) => {
            if let Encryption::Clear(why) = &mut session.encryption {
                *why = refused.to_string();
            }
            Ok(session)
        }
        // The server wants TLS, which does not come about.
        Err((error @ ConnectError::Tls { .. }, _)) if first == Stance::Clear => Err(error),
        // What went wrong first is what people can act on.
        Err(_) => Err(refused),
    }
}

/// One attempt, given up after `limit`: the driver limits the opening of the socket alone, and would wait
/// for ever for whoever accepts it and says nothing. An error says whether the other stance may do better.
fn try_once(
    info: &ConnInfo,
    ip: Option<IpAddr>,
    stance: Stance,
    limit: Duration,
) -> Result<Session, (ConnectError, bool)> {
    let notices = Arc::new(Mutex::new(Notices::default()));
    let unreachable = |error: io::Error| (ConnectError::unreachable(info, &error.to_string()), false);
    let stub = Stub::for_socket(info).map_err(unreachable)?;
    let address = match (&stub, ip) {
        (Some(stub), _) => stub.address().map_err(unreachable)?,
        (None, ip) => SocketAddr::new(ip.unwrap_or(Ipv4Addr::LOCALHOST.into()), info.port),
    };
    let mut config = driver_config(info, address).map_err(|error| (error.into(), false))?;
    config.connect_timeout(limit);
    config.notice_callback({
        let notices = notices.clone();
        move |notice| {
            if let Ok(mut notices) = notices.lock() {
                notices.keep(notice);
            }
        }
    });
    let (tls, handshaken) = Tls::new(info);
    let is_network = ip.is_some_and(|ip| !ip.to_canonical().is_loopback());
    let wire = Wire::new(info, stance, is_network, tls);
    let (end, deadline) = (wire.end(), wire.deadline());
    let opened = Instant::now();
    let connect = move || {
        let _until_the_driver_has_passed = stub;
        #[expect(clippy::disallowed_methods, reason = "the one place that opens sessions")]
        config.connect(wire)
    };
    let outcome = within(limit, connect).ok_or_else(|| {
        let cause = format!("login timed out after {} s", limit.as_secs());
        (ConnectError::unreachable(info, &cause), false)
    })?;
    let established = handshaken.session();
    match outcome {
        Ok(client) => {
            let encryption = match (&info.host, established, stance) {
                (Host::Unix(_), ..) => Encryption::Socket,
                (_, Some(session), _) => Encryption::Tls(session.version, session.verified),
                (_, None, Stance::Clear) => Encryption::Clear(format!("sslmode={}", info.ssl_mode)),
                (_, None, _) => Encryption::Clear(format!("the server offers no TLS, and sslmode={}", info.ssl_mode)),
            };
            let whose = format!("role \"{}\" to database \"{}\" at {}", info.user, info.database, info.address());
            let client = BoundedClient::of(client, deadline.clone());
            Ok(Session { client, encryption, opened, rights: Rights::App, whose, notices, end, deadline })
        }
        Err(error) => {
            let error = ConnectError::of(info, &error, Some(&handshaken), &end);
            let may_do_better = error.may_be_for_encryption(established.is_some(), stance) && !handshaken.is_final();
            Err((error, may_do_better))
        }
    }
}

/// What comes of something that may take for ever; `None` after `limit`.
fn within<T: Send + 'static>(limit: Duration, run: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // Nobody may be listening any more.
        let _ = sender.send(run());
    });
    receiver.recv_timeout(limit).ok()
}

/// A session is let through only where it is what `target_session_attrs` asks for.
fn wanted(info: &ConnInfo, mut session: Session) -> Result<Session, ConnectError> {
    let wanted = TargetSessionAttrs::of(&info.more)?;
    match session.ask(CONNECT_TIMEOUT, |client| wanted.missed_by(client)) {
        Ok(None) => Ok(session),
        Ok(Some(why)) => Err(ConnectError::Unwanted {
            at: info.address().to_string(),
            wanted: info.more.get("target_session_attrs").unwrap_or_default().to_owned(),
            why,
        }),
        Err(error) => Err(ConnectError::of(info, &error, None, &session.end)),
    }
}

fn driver_config(info: &ConnInfo, address: SocketAddr) -> Result<postgres::Config, InvalidConnString> {
    let mut config = postgres::Config::new();
    config.user(&info.user).dbname(&info.database).hostaddr(address.ip()).port(address.port());
    // What is spoken first is the wire's business, which has its own word for the host.
    config.host("server").ssl_mode(DriverSslMode::Require).ssl_negotiation(SslNegotiation::Direct);
    config.channel_binding(match info.more.get("channel_binding") {
        Some("disable") => ChannelBinding::Disable,
        Some("require") => ChannelBinding::Require,
        _ => ChannelBinding::Prefer,
    });
    Keepalives::of(&info.more)?.apply(&mut config);
    if let Some(password) = &info.password {
        config.password(password.reveal());
    }
    if !info.options.is_empty() {
        config.options(&info.options.to_string());
    }
    if let Some(name) = &info.application_name {
        config.application_name(name);
    }
    Ok(config)
}
