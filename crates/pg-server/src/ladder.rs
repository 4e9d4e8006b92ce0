//! The ladder: which rung gives the server, and why the others did not.

use std::{ffi::OsStr, fmt, path::Path, time::Duration};

use pg_config::{Address, ConnInfo, Host, ServerChoice};
use thiserror::Error;

use crate::{
    Local, LocalError, Say,
    cluster::Cluster,
    install,
    local::{self, Found, Search},
};

/// What may be done to get a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: only a server that runs is found.
    Find,
    /// One may be started.
    Start,
    /// One may be started, and PostgreSQL be installed for it by the system's package manager.
    Install,
}

/// What the ladder needs to know.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Which rungs may be taken.
    pub choice: ServerChoice,
    /// What may be done.
    pub mode: Mode,
    /// The server that `DATABASE_URL` and its kin name.
    pub named: Option<Address>,
    /// `DB_DATA_DIR`: private to this user and this workspace; it need not exist.
    pub data_dir: &'a Path,
    /// `PG_BIN_DIR`.
    pub bin_dir: Option<&'a Path>,
    /// The value of `PATH`.
    pub path: Option<&'a OsStr>,
    /// How long a server may take to come up, and another process to let go of the data directory.
    pub wait: Duration,
}

/// A server: named, or running and ours.
#[derive(Clone, Debug)]
pub struct Server {
    /// The rung that gave it.
    pub source: Source,
    /// Where it listens.
    pub host: Host,
    /// On which port.
    pub port: u16,
    /// The superuser's connection to the database `postgres`; only on a server that we started.
    pub superuser: Option<ConnInfo>,
    /// Whether this very call started it.
    pub started_now: bool,
    /// Why this one, in one line.
    pub reason: String,
    /// The rungs above it.
    pub skipped: Vec<Skipped>,
    /// Where it lives, if it is a private cluster.
    pub local: Option<Local>,
}

/// Where a server came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was named. Nobody has connected to it yet.
    Env,
    /// A private cluster of this workspace.
    Local,
}

/// A rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// A named server.
    Env,
    /// A container.
    Container,
    /// A private cluster.
    Local,
    /// The system's package manager.
    Install,
}

/// Why a rung gave no server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The rung.
    pub rung: Rung,
    /// What was in the way, in one line unless a log is quoted.
    pub reason: String,
    /// What would make it work.
    pub remedy: Option<String>,
}

/// No rung gave a server. `Display` has a line for each, with what would make it work.
#[derive(Debug, Error)]
#[error("no PostgreSQL server could be had:{}", lines(.skipped))]
pub struct NoServer {
    /// Every rung that was looked at.
    pub skipped: Vec<Skipped>,
    /// What went wrong on the last rung, where it was more than that there is nothing; its text is the
    /// reason there too.
    pub error: Option<Box<LocalError>>,
}

/// Finds a server, and starts one where the mode allows it.
///
/// A named server is only named: the first login, with its wait, is the caller's. A server that we
/// started has answered a query on its final address.
pub fn find(request: &Request<'_>, say: Say<'_>) -> Result<Server, NoServer> {
    let mut skipped = Vec::new();
    match (&request.named, request.choice) {
        (Some(address), ServerChoice::Auto | ServerChoice::Env) => return Ok(named(address.clone())),
        (Some(address), ServerChoice::Local | ServerChoice::Container) => skipped.push(Skipped {
            rung: Rung::Env,
            reason: format!("{address} is named, but --server {} comes first", request.choice),
            remedy: None,
        }),
        (None, ServerChoice::Env) | (None, ServerChoice::Auto) => skipped.push(Skipped {
            rung: Rung::Env,
            reason: "no server is named".to_owned(),
            remedy: Some("set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE".to_owned()),
        }),
        (None, ServerChoice::Local | ServerChoice::Container) => {}
    }
    if request.choice == ServerChoice::Env {
        return Err(NoServer { skipped, error: None });
    }
    if request.choice != ServerChoice::Container {
        match local::search(request.data_dir, request.bin_dir, patience(request)) {
            Ok(Search::Running(found)) => return Ok(ours(*found, skipped)),
            Ok(Search::Stopped(kept)) if request.mode == Mode::Find => {
                skip_container(request, &mut skipped);
                skipped.push(not_running(&kept));
                return Err(NoServer { skipped, error: None });
            }
            Ok(Search::Stopped(_)) => {}
            Err(error) => return Err(failed(skipped, error)),
        }
    }
    skip_container(request, &mut skipped);
    if request.choice == ServerChoice::Container {
        return Err(NoServer { skipped, error: None });
    }
    let start = |say: Say<'_>| local::ensure(request.data_dir, request.bin_dir, request.path, request.wait, say);
    match start(say) {
        Ok(found) => Ok(ours(found, skipped)),
        Err(LocalError::NoBinaries { .. }) if request.mode == Mode::Install => install::install(request.path, say)
            .and_then(|()| start(say))
            .map(|found| ours(found, skipped.clone()))
            .map_err(|error| failed(skipped, error)),
        Err(error @ LocalError::NoBinaries { .. }) => {
            skipped.push(Skipped {
                rung: Rung::Local,
                reason: error.to_string(),
                remedy: Some(
                    "install PostgreSQL, or set PG_BIN_DIR to the directory of `initdb` and `postgres`".to_owned(),
                ),
            });
            skipped.push(install::not_asked_for(request.path));
            Err(NoServer { skipped, error: None })
        }
        Err(error) => Err(failed(skipped, error)),
    }
}

/// Where one may be started, a server that is just starting is waited for under the lock.
fn patience(request: &Request<'_>) -> Duration {
    if request.mode == Mode::Find { request.wait } else { Duration::ZERO }
}

fn named(Address { host, port }: Address) -> Server {
    Server {
        source: Source::Env,
        host,
        port,
        superuser: None,
        started_now: false,
        reason: "named by the configuration".to_owned(),
        skipped: Vec::new(),
        local: None,
    }
}

fn ours(found: Found, skipped: Vec<Skipped>) -> Server {
    let local = found.local();
    Server {
        source: Source::Local,
        host: found.running.superuser.host.clone(),
        port: found.running.superuser.port,
        superuser: Some(found.running.superuser),
        started_now: found.started_now,
        reason: found.reason,
        skipped,
        local: Some(local),
    }
}

fn skip_container(request: &Request<'_>, skipped: &mut Vec<Skipped>) {
    if matches!(request.choice, ServerChoice::Auto | ServerChoice::Container) {
        skipped.push(Skipped {
            rung: Rung::Container,
            reason: "this release starts no containers yet".to_owned(),
            remedy: (request.choice == ServerChoice::Container)
                .then(|| "take --server local, or start a container yourself and name it in DATABASE_URL".to_owned()),
        });
    }
}

fn not_running(kept: &[Cluster]) -> Skipped {
    let (reason, remedy) = match kept.first() {
        Some(cluster) => (
            format!("the server of {} (PostgreSQL {}) is stopped", cluster.data().display(), cluster.name()),
            "`cargo xtask db-setup` starts it",
        ),
        None => ("no server was started for this workspace yet".to_owned(), "`cargo xtask db-setup` starts one"),
    };
    Skipped { rung: Rung::Local, reason, remedy: Some(remedy.to_owned()) }
}

fn failed(mut skipped: Vec<Skipped>, error: LocalError) -> NoServer {
    let rung = if matches!(error, LocalError::Install(_)) { Rung::Install } else { Rung::Local };
    skipped.push(Skipped { rung, reason: error.to_string(), remedy: None });
    NoServer { skipped, error: Some(Box::new(error)) }
}

fn lines(skipped: &[Skipped]) -> String {
    skipped.iter().map(|skipped| format!("\n  {skipped}")).collect()
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rung, self.reason)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, " [{remedy}]"))
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Env => "env",
            Self::Container => "container",
            Self::Local => "local",
            Self::Install => "install",
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Env => "env",
            Self::Local => "local",
        })
    }
}
