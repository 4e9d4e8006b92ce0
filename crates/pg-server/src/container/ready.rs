//! Whether the server in a container serves: told by a login at its final address, and by nothing else.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use pg_config::ConnectError;

use super::{ContainerRecord, Helper, PORT};
use crate::{
    Error,
    engine::{Engine, Seen},
    login::{self, LoggedIn},
    poll,
};

/// The server, if its container runs: waited for until the deadline.
pub(crate) fn find(kept: &ContainerRecord, engine: &Engine, deadline: Instant) -> Result<Option<LoggedIn>, Error> {
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
    kept: &ContainerRecord,
    engine: &Engine,
    helper: &Helper,
    waited: Duration,
    deadline: Instant,
) -> Result<LoggedIn, Error> {
    let mut seen = "nothing happened".to_owned();
    let found = poll::until(deadline, || match look(kept, engine) {
        Ok(Looked::Ready(running)) => Some(Ok(*running)),
        Ok(Looked::Busy(words)) => {
            seen = words;
            None
        }
        Ok(Looked::Ended(how)) => {
            Some(Err(Error::Exited { server: kept.server(), status: how, log: None, tail: helper.log(kept) }))
        }
        // It has just started the container, and is busy.
        Err(Error::NoEngine(error)) => {
            seen = error.reason;
            None
        }
        Err(error) => Some(Err(error)),
    });
    found.unwrap_or_else(|| {
        Err(Error::NotReady { server: kept.server(), waited, seen, log: None, tail: helper.log(kept) })
    })
}

/// What a look came to.
enum Looked {
    Ready(Box<LoggedIn>),
    /// It lets nobody in yet: what was said.
    Busy(String),
    /// The container does not run: how it is.
    Ended(String),
}

fn look(kept: &ContainerRecord, engine: &Engine) -> Result<Looked, Error> {
    let (port, address) = match engine.container(kept.name())? {
        Seen::Running { port, address } => (port, address),
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

/// Whether we run in a container ourselves (Docker's mark, Podman's).
fn is_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists())
}

fn log_in(kept: &ContainerRecord, host: &str, port: u16) -> Result<Looked, Error> {
    let refused = |words: String| {
        let next = format!("write the superuser's password into {}", kept.password_file().display());
        Error::Refused { server: kept.server(), words, next }
    };
    let login = match login::log_in(host, port, kept.password()?) {
        Ok(Some(login)) => login,
        Ok(None) => return Ok(Looked::Busy("it is just stopping".to_owned())),
        // Class 28, invalid authorization; anything else (too many clients, say) may pass.
        Err(ConnectError::Refused { error, .. }) if error.code().code().starts_with("28") => {
            return Err(refused(format!("{} ({})", error.message(), error.code().code())));
        }
        Err(error @ ConnectError::Refused { .. }) => {
            return Err(Error::Foreign { server: kept.server(), words: error.in_one_line() });
        }
        Err(error) => return Ok(Looked::Busy(error.in_one_line())),
    };
    if login.cluster_name != kept.name() {
        return Ok(Looked::Busy(format!("on port {port} another server answers")));
    }
    Ok(Looked::Ready(Box::new(login)))
}
