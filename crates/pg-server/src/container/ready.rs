//! Whether the server in a container serves: told by a login at its final address, and by nothing else.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use pg_config::{ConnInfo, ConnectError, Host, IdleSession, Options, Parameters, SslMode};

use super::{ContainerError, Helper, Kept, PORT};
use crate::{
    engine::{Engine, Seen},
    local::template::SUPERUSER,
    poll,
};

/// A server that let us in.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) superuser: ConnInfo,
    /// The superuser's, that has seen it answer.
    pub(crate) session: IdleSession,
    /// `server_version`, without the packager's addition.
    pub(crate) version: String,
}

/// Proves which server answers. Any query would show that it is ready.
const IDENTITY: &str = "SELECT current_setting('cluster_name'), current_setting('server_version')";

const LOGIN_LIMIT: Duration = Duration::from_secs(5);

/// The server, if its container runs: waited for until the deadline.
pub(crate) fn find(kept: &Kept, engine: &Engine, deadline: Instant) -> Result<Option<Running>, ContainerError> {
    let inspect = || Ok(engine.container(kept.name())?);
    let found = poll::until(deadline, || match look(kept, engine, inspect) {
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
    let inspect = || match engine.container(kept.name())? {
        Seen::Unasked => helper.look(kept),
        seen => Ok(seen),
    };
    let found = poll::until(deadline, || match look(kept, engine, inspect) {
        Ok(Looked::Ready(running)) => Some(Ok(*running)),
        Ok(Looked::Busy(words)) => {
            seen = words;
            None
        }
        Ok(Looked::Ended(how)) => Some(Err(ContainerError::Exited { name: name(), how, log: helper.log(kept) })),
        // It has just started the container, and is busy.
        Err(ContainerError::NoEngine(error)) => {
            seen = error.to_string();
            None
        }
        Err(error) => Some(Err(error)),
    });
    found.unwrap_or_else(|| Err(ContainerError::NotReady { name: name(), waited, seen, log: helper.log(kept) }))
}

/// What a look came to.
enum Looked {
    Ready(Box<Running>),
    /// It lets nobody in yet: what was said.
    Busy(String),
    /// The container does not run: how it is.
    Ended(String),
}

fn look(
    kept: &Kept,
    engine: &Engine,
    inspect: impl Fn() -> Result<Seen, ContainerError>,
) -> Result<Looked, ContainerError> {
    let (port, address) = match inspect()? {
        Seen::Running { port, address } => (port, address),
        Seen::Unasked => return at_recorded_port(kept, engine),
        Seen::Absent => return Ok(Looked::Ended("it is gone".to_owned())),
        Seen::Ended(how) => return Ok(Looked::Ended(how)),
    };
    let Some(port) = port else { return Ok(Looked::Busy("no port of it is published".to_owned())) };
    let published = || log_in(kept, engine.remote_host().unwrap_or("127.0.0.1"), port);
    let first = published()?;
    if let (Looked::Busy(_), Some(address)) = (&first, address)
        && engine.remote_host().is_none()
        && is_container()
        && let Looked::Ready(inside) = log_in(kept, &address, PORT)?
    {
        // From inside another container this machine's own loopback address does not lead there. Where it does, it
        // was asked a moment too early.
        return Ok(match published()? {
            Looked::Ready(running) => Looked::Ready(running),
            _ => Looked::Ready(inside),
        });
    }
    Ok(first)
}

/// The server at the port of the last start. Since the engine was started anew, another may have it, which lets
/// nobody in with our password.
fn at_recorded_port(kept: &Kept, engine: &Engine) -> Result<Looked, ContainerError> {
    let Some(port) = kept.port else { return Ok(Looked::Busy("no port of it is known".to_owned())) };
    match log_in(kept, engine.remote_host().unwrap_or("127.0.0.1"), port) {
        Err(ContainerError::Login { words, .. } | ContainerError::Foreign { words, .. }) => {
            Ok(Looked::Busy(format!("on port {port} one answers: {words}")))
        }
        looked => looked,
    }
}

/// Whether we run in a container ourselves (Docker's mark, Podman's).
fn is_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists())
}

fn log_in(kept: &Kept, host: &str, port: u16) -> Result<Looked, ContainerError> {
    let refused =
        |words: String| ContainerError::Login { name: kept.name().to_owned(), words, password: kept.password_file() };
    let superuser = ConnInfo {
        host: Host::Tcp(host.to_owned()),
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
        scram_only: true,
    };
    let mut session = match pg_config::connect_administrator(&superuser, Duration::ZERO) {
        Ok(session) => session,
        // Class 28, invalid authorization; anything else (too many clients, say) may pass.
        Err(ConnectError::Refused { error, .. }) if error.code().code().starts_with("28") => {
            return Err(refused(format!("{} ({})", error.message(), error.code().code())));
        }
        Err(error @ ConnectError::Login { .. }) => {
            return Err(ContainerError::Foreign { name: kept.name().to_owned(), words: error.to_string() });
        }
        Err(error) => return Ok(Looked::Busy(error.to_string())),
    };
    let Ok(row) = session.ask(LOGIN_LIMIT, |client| client.query_one(IDENTITY, &[])) else {
        return Ok(Looked::Busy("it is just stopping".to_owned()));
    };
    let (name, version): (String, String) = (row.get(0), row.get(1));
    if name != kept.name() {
        return Ok(Looked::Busy(format!("on port {port} another server answers")));
    }
    let version = version.split_whitespace().next().unwrap_or_default().to_owned();
    Ok(Looked::Ready(Box::new(Running { superuser, session: IdleSession::of(session), version })))
}

#[cfg(test)]
mod tests {
    use std::{
        env, fs,
        io::{Read as _, Write as _},
        net::TcpListener,
        process,
        sync::mpsc,
        thread,
    };

    use super::*;
    use crate::engine::EngineSettings;

    /// An engine with TLS is not asked: at the port of the last start another server may listen by now.
    #[test]
    fn a_refusal_at_a_recorded_port_is_anothers() {
        let directory = env::temp_dir().join(format!("pg-server-ready-{}", process::id()));
        fs::create_dir(&directory).unwrap();
        for name in ["ca.pem", "cert.pem", "key.pem"] {
            fs::write(directory.join(name), "").unwrap();
        }
        let engine = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = format!("tcp://{}", engine.local_addr().unwrap());
        let settings = EngineSettings {
            docker_host: Some(host.clone()),
            tls_verify: Some("1".to_owned()),
            cert_path: Some(directory.clone()),
            ..EngineSettings::default()
        };
        let engine_with_tls = Engine::at(&host, &settings).unwrap();
        assert_eq!(engine_with_tls.container("any").unwrap(), Seen::Unasked);

        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        thread::spawn(move || {
            for mut stream in other.incoming().flatten() {
                let _ = stream.read(&mut [0; 512]);
                let fields = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0";
                let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
                let _ = stream.write_all(&[b"E", &length[..], fields].concat());
            }
        });
        let mut kept = Kept::passing(directory.join("kept"), "postgres:17", &engine_with_tls).unwrap();
        kept.published(Some(port)).unwrap();
        assert!(find(&kept, &engine_with_tls, Instant::now()).unwrap().is_none());
        // Of a port that the engine has just named, it is ours.
        let inspect = || Ok(Seen::Running { port: Some(port), address: None });
        assert!(matches!(look(&kept, &engine_with_tls, inspect), Err(ContainerError::Login { .. })));

        // One that wants the superuser's password in clear text does not get it, at neither.
        let curious = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = curious.local_addr().unwrap().port();
        let (sender, heard) = mpsc::channel();
        thread::spawn(move || {
            for mut stream in curious.incoming().flatten() {
                let _ = stream.read(&mut [0; 512]);
                let _ = stream.write_all(b"R\0\0\0\x08\0\0\0\x03");
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest);
                sender.send(rest).unwrap();
            }
        });
        kept.published(Some(port)).unwrap();
        assert!(find(&kept, &engine_with_tls, Instant::now()).unwrap().is_none());
        let inspect = || Ok(Seen::Running { port: Some(port), address: None });
        assert!(matches!(look(&kept, &engine_with_tls, inspect), Err(ContainerError::Foreign { .. })));
        assert_eq!([heard.recv().unwrap(), heard.recv().unwrap()], [b"", b""]);
        fs::remove_dir_all(directory).unwrap();
    }
}
