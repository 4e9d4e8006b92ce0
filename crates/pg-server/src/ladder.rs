//! The ladder: which rung gives the server, and why the others did not.

use std::{ffi::OsStr, fmt, path::Path, time::Duration};

use pg_config::{Address, ConnInfo, Durability, Host, IdleSession, ServerChoice};
use thiserror::Error;

use crate::{
    Container, ContainerError, Containers, EngineError, Local, LocalError, Say,
    container::{self, Kept, Workshop},
    data_dir::DataDir,
    ephemeral, install,
    local::cluster::Cluster,
    local::{self, Search},
    other_data::{self, Dump, OtherData},
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
#[derive(Clone)]
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
    /// What a server that is started keeps through a crash of its machine.
    pub durability: Durability,
    /// What the container rung needs.
    pub containers: Containers<'a>,
    /// How the app's data are copied, for what is said of data that a new server would not have.
    pub dump: Dump<'a>,
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
    /// The superuser's, where it has seen the server answer.
    pub session: IdleSession,
    /// Whether this very call started it.
    pub started_now: bool,
    /// Why this one, in one line.
    pub reason: String,
    /// The rungs above it.
    pub skipped: Vec<Skipped>,
    /// Where it lives, if it is a private cluster.
    pub local: Option<Local>,
    /// Where it lives, if it is in a container.
    pub container: Option<Container>,
}

/// Where a server came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was named. Nobody has connected to it yet.
    Env,
    /// A container of this workspace.
    Container,
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
    let running = match running(request) {
        Ok(Ours::Running(server)) => {
            if request.mode != Mode::Find
                && let Err(error) = note_current(request, &server)
            {
                return Err(failed(skipped, error));
            }
            return Ok(Server { skipped, ..*server });
        }
        Ok(Ours::Stopped(kept)) => kept,
        Err(error) => return Err(failed(skipped, error)),
    };
    if request.mode == Mode::Find {
        skipped.extend(running.not_running(request));
        return Err(NoServer { skipped, error: None });
    }
    let mut request = request.clone();
    if let Some(cluster) = running.goes_on(request.choice) {
        skipped.push(Skipped {
            rung: Rung::Container,
            reason: format!("the data of this workspace are in {}", cluster.data().display()),
            remedy: Some("--server container makes a new database in a container".to_owned()),
        });
        request.choice = ServerChoice::Local;
    }
    let request = &request;
    if request.choice != ServerChoice::Local
        && let Some(kept) = running.of_another_image(&request.containers)
    {
        let other = OtherData::of_image(kept, running.is_new(&request.containers), request);
        // Where nobody chose the image, a new database in the place of the one that is there would be a surprise.
        if request.containers.image_is_default {
            skipped.push(Skipped { rung: Rung::Container, reason: other.refused(), remedy: None });
            return Err(NoServer { skipped, error: None });
        }
        say(&other.left());
    }
    let rungs = Rungs {
        container: &|workshop, say| {
            let found = workshop.ensure(request.data_dir, request.durability, request.wait, say)?;
            Ok(in_container(found))
        },
        left: running.left(request.choice).map(Kept::name),
        local: &|say| local::ensure(request, say).map(ours),
    };
    climb(request, skipped, &rungs, say)
}

/// How the rungs below a running server give one.
pub(crate) struct Rungs<'a> {
    /// The container whose data are this workspace's: no other rung serves in its place.
    pub(crate) left: Option<&'a str>,
    pub(crate) container: &'a dyn Fn(Workshop<'_>, Say<'_>) -> Result<Server, ContainerError>,
    pub(crate) local: &'a dyn Fn(Say<'_>) -> Result<Server, LocalError>,
}

/// A container, installed binaries, binaries that are installed now: the first that can.
pub(crate) fn climb(
    request: &Request<'_>,
    mut skipped: Vec<Skipped>,
    rungs: &Rungs<'_>,
    say: Say<'_>,
) -> Result<Server, NoServer> {
    if let Err(error) = sweep(request, say) {
        return Err(failed(skipped, error));
    }
    if request.choice != ServerChoice::Local {
        match Workshop::open(&request.containers, say).and_then(|workshop| (rungs.container)(workshop, say)) {
            Ok(server) => return Ok(Server { skipped, ..server }),
            Err(error) if error.is_passing() => {
                skipped.push(Skipped { rung: Rung::Container, reason: error.to_string(), remedy: None });
                if let Some(name) = rungs.left {
                    skipped.push(Skipped {
                        rung: Rung::Local,
                        reason: format!("the data of this workspace are in the container {name}"),
                        remedy: Some("--server local makes a new database in a private cluster".to_owned()),
                    });
                    return Err(NoServer { skipped, error: None });
                }
            }
            Err(error) => return Err(failed(skipped, error.into())),
        }
    }
    if request.choice == ServerChoice::Container {
        return Err(NoServer { skipped, error: None });
    }
    match (rungs.local)(say) {
        Ok(server) => Ok(Server { skipped, ..server }),
        Err(LocalError::NoBinaries { .. }) if request.mode == Mode::Install => {
            let installed = install::install(request.path, say).and_then(|()| (rungs.local)(say));
            match installed {
                Ok(server) => Ok(Server { skipped, ..server }),
                Err(error) => Err(failed(skipped, error)),
            }
        }
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

/// The servers of this workspace.
enum Ours {
    Running(Box<Server>),
    Stopped(Stopped),
}

/// What is kept of servers that do not run, those first that were started last.
#[derive(Default)]
struct Stopped {
    /// Those of the version that `PG_BIN_DIR` means.
    clusters: Vec<Cluster>,
    /// The cluster that was started last, of whatever version.
    current_cluster: Option<Cluster>,
    containers: Vec<Kept>,
    /// The container whose engine did not say how it is, and why not.
    unasked: Option<(String, EngineError)>,
    /// The name of the one that was started last.
    current: String,
}

/// A server that an earlier run started and that still runs: first the one that was started last.
fn running(request: &Request<'_>) -> Result<Ours, LocalError> {
    let Some(data_dir) = DataDir::open(request.data_dir)? else { return Ok(Ours::Stopped(Stopped::default())) };
    let mut stopped = Stopped { current: data_dir.current(), ..Stopped::default() };
    stopped.containers = Kept::all(&data_dir)?;
    stopped.current_cluster = data_dir.clusters()?.into_iter().find(|cluster| cluster.name() == stopped.current);
    let is_container = stopped.containers.iter().any(|kept| kept.name() == stopped.current);
    let mut order = [ServerChoice::Local, ServerChoice::Container];
    if is_container {
        order.reverse();
    }
    for rung in order.into_iter().filter(|rung| [*rung, ServerChoice::Auto].contains(&request.choice)) {
        if rung == ServerChoice::Local {
            match local::search(request.data_dir, request.bin_dir, patience(request)) {
                // The start gives the superuser a new one.
                Err(LocalError::PasswordLost { .. }) if request.mode != Mode::Find => {}
                Err(error) => return Err(error),
                // One with other settings is started anew, where that may be.
                Ok(Search::Running(found))
                    if request.mode != Mode::Find && found.running.durability != request.durability =>
                {
                    stopped.clusters = vec![found.cluster];
                }
                Ok(Search::Running(found)) => return Ok(Ours::Running(Box::new(ours(*found)))),
                Ok(Search::Stopped(clusters)) => stopped.clusters = clusters,
            }
        } else if stopped.goes_on_by_default(&request.containers).is_none() {
            match container::search(&data_dir, &request.containers, request.durability, patience(request))? {
                container::Search::Running(found) => return Ok(Ours::Running(Box::new(in_container(*found)))),
                container::Search::Stopped { unasked } => stopped.unasked = unasked,
            }
        }
    }
    Ok(Ours::Stopped(stopped))
}

/// Notes that this server is the one to go on with, where another was started later.
fn note_current(request: &Request<'_>, server: &Server) -> Result<(), LocalError> {
    let cluster = server.local.as_ref().and_then(|local| local.data.parent()?.file_name()?.to_str());
    let name = server.container.as_ref().map(|container| container.name.as_str()).or(cluster);
    match (DataDir::open(request.data_dir)?, name) {
        (Some(data_dir), Some(name)) if data_dir.current() != name => data_dir.set_current(name),
        _ => Ok(()),
    }
}

impl Stopped {
    /// The cluster whose data are this workspace's: a container would begin with none.
    fn goes_on(&self, choice: ServerChoice) -> Option<&Cluster> {
        self.current_cluster.as_ref().filter(|_| choice == ServerChoice::Auto)
    }

    /// The container whose data are this workspace's, where the image is another now and nobody has chosen that.
    fn goes_on_by_default(&self, containers: &Containers<'_>) -> Option<&Kept> {
        let current = self.containers.iter().find(|kept| kept.name() == self.current && kept.holds_data());
        current.filter(|kept| containers.image_is_default && kept.image != containers.image)
    }

    /// The container whose data are this workspace's, where one of another image would be started without them.
    fn of_another_image(&self, containers: &Containers<'_>) -> Option<&Kept> {
        let first = self.containers.iter().find(|kept| kept.holds_data()).filter(|_| self.is_new(containers));
        self.goes_on_by_default(containers).or(first)
    }

    /// Whether no container of this image has data.
    fn is_new(&self, containers: &Containers<'_>) -> bool {
        !self.containers.iter().any(|kept| kept.holds_data() && kept.image == containers.image)
    }

    /// The container whose data are this workspace's: a cluster would begin with none.
    fn left(&self, choice: ServerChoice) -> Option<&Kept> {
        let mut started = self.containers.iter().filter(|kept| kept.holds_data());
        // One that came up later than it was waited for is found again, and was never noted as started.
        let is_meant = |kept: &&Kept| self.current.is_empty() || kept.name() == self.current;
        started.find(is_meant).filter(|_| choice == ServerChoice::Auto)
    }

    /// Why nothing serves, where nothing may be started.
    fn not_running(&self, request: &Request<'_>) -> Vec<Skipped> {
        let choice = request.choice;
        let starts = Some("`cargo xtask db-setup` starts it".to_owned());
        let mut skipped = Vec::new();
        if choice != ServerChoice::Local
            && let Some(kept) = self.containers.first()
        {
            let (reason, remedy) = match (&self.unasked, self.of_another_image(&request.containers)) {
                (_, Some(kept)) => {
                    let whose = if request.containers.image_is_default { ", the default" } else { "" };
                    let image = request.containers.image;
                    let reason = format!("{}. POSTGRES_IMAGE is {image}{whose}", other_data::place(kept));
                    (
                        reason,
                        Some(format!(
                            "POSTGRES_IMAGE={} uses these data; `cargo xtask db-setup` prints what else can be done",
                            kept.image
                        )),
                    )
                }
                (Some((name, error)), None) => {
                    (format!("the container {name} was not looked at: {}", error.reason), Some(error.remedy.clone()))
                }
                (None, None) => {
                    let meant = self.containers.iter().find(|kept| kept.image == request.containers.image);
                    let kept = meant.unwrap_or(kept);
                    (format!("the container {} of {} does not run", kept.name(), kept.image), starts.clone())
                }
            };
            skipped.push(Skipped { rung: Rung::Container, reason, remedy });
        }
        if choice != ServerChoice::Container {
            let stopped = |cluster: &Cluster| {
                format!("the server of {} (PostgreSQL {}) is stopped", cluster.data().display(), cluster.name())
            };
            match (self.clusters.first(), &self.current_cluster) {
                (Some(cluster), _) => {
                    skipped.push(Skipped { rung: Rung::Local, reason: stopped(cluster), remedy: starts });
                }
                // Another one may run: it is not what PG_BIN_DIR asks for.
                (None, Some(cluster)) => {
                    let (data, name) = (cluster.data(), cluster.name());
                    let reason = format!(
                        "the data of this workspace are in {} (PostgreSQL {name}). PG_BIN_DIR is of another version",
                        data.display(),
                    );
                    let remedy = format!("unset PG_BIN_DIR, or set it to the directory of PostgreSQL {name}");
                    skipped.push(Skipped { rung: Rung::Local, reason, remedy: Some(remedy) });
                }
                (None, None) => {}
            }
        }
        if skipped.is_empty() {
            let rung = if choice == ServerChoice::Container { Rung::Container } else { Rung::Local };
            let reason = "no server was started for this workspace yet".to_owned();
            let remedy = Some("`cargo xtask db-setup` starts one".to_owned());
            skipped.push(Skipped { rung, reason, remedy });
        }
        skipped
    }
}

/// Ends what throw-away servers of earlier runs have left.
fn sweep(request: &Request<'_>, say: Say<'_>) -> Result<(), LocalError> {
    match DataDir::open(request.data_dir)? {
        Some(data_dir) => ephemeral::sweep(&data_dir, &request.containers, say).map(|_| ()),
        None => Ok(()),
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
        session: IdleSession::default(),
        started_now: false,
        reason: "named by the configuration".to_owned(),
        skipped: Vec::new(),
        local: None,
        container: None,
    }
}

pub(crate) fn in_container(found: container::Found) -> Server {
    let container = found.container();
    Server {
        source: Source::Container,
        host: found.running.superuser.host.clone(),
        port: found.running.superuser.port,
        superuser: Some(found.running.superuser),
        session: found.running.session,
        started_now: found.started_now,
        reason: found.reason,
        skipped: Vec::new(),
        local: None,
        container: Some(container),
    }
}

fn ours(found: local::Found) -> Server {
    let local = found.local();
    Server {
        source: Source::Local,
        host: found.running.superuser.host.clone(),
        port: found.running.superuser.port,
        superuser: Some(found.running.superuser),
        session: found.running.session,
        started_now: found.started_now,
        reason: found.reason,
        skipped: Vec::new(),
        local: Some(local),
        container: None,
    }
}

pub(crate) fn failed(mut skipped: Vec<Skipped>, error: LocalError) -> NoServer {
    let rung = match error {
        LocalError::Install(_) => Rung::Install,
        LocalError::Container(_) => Rung::Container,
        _ => Rung::Local,
    };
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
            Self::Container => "container",
            Self::Local => "local",
        })
    }
}
