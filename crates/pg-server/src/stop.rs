//! Stopping and deleting the servers of a workspace, and what is known of them (`db-stop`, `db-status`).

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Binaries, Containers, EngineSettings, Error, Say,
    container::{self, Helper, Kept},
    data_dir::DataDir,
    engine::{self, Engine},
    local::cluster::{Cluster, Seen},
    lock::Lock,
    sweep::sweep,
};

/// A server that was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// That of a cluster.
    Cluster {
        /// The name of the cluster: the major version.
        name: String,
        /// The process id that it had.
        pid: u32,
    },
    /// That of a container.
    Container {
        /// The name of the container.
        name: String,
        /// Its image.
        image: String,
    },
}

/// A kept container.
#[derive(Clone, Debug)]
pub struct ContainerStatus {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Its engine's address, as `DOCKER_HOST` has it.
    pub engine: String,
    /// How it is, for people.
    pub state: String,
}

/// A kept cluster.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its name: the major version, `15`; for a pre-release the whole, `18beta1`.
    pub cluster: String,
    /// Whether its server runs.
    pub state: State,
    /// Its data directory.
    pub data: PathBuf,
    /// Its log.
    pub log: PathBuf,
    /// The port of its last start.
    pub port: Option<u16>,
    /// The binaries of its last start, if they are still installed there.
    pub binaries: Option<Binaries>,
}

/// What a cluster's server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It answered a query.
    Running {
        /// The postmaster's process id.
        pid: u32,
    },
    /// It runs, and does not serve: why.
    Unready {
        /// The postmaster's process id.
        pid: u32,
        /// What is the matter.
        reason: String,
    },
    /// It does not run.
    Stopped,
    /// It cannot start: it was put aside, or will be by the next start. Its data are all there.
    Broken {
        /// What it lacks.
        reason: String,
    },
}

/// Ends every server of this data directory, open sessions or not; `wait` is what each one gets for an
/// orderly end. Data stay. Nothing there, or nothing running: no error, and no entry.
///
/// Of a container whose engine is not there that is said, and no more: it does not run without it. An engine that
/// is there and does not say how the container is, is an error, once everything else has ended.
pub fn stop(data_dir: &Path, containers: &Containers<'_>, wait: Duration, say: Say<'_>) -> Result<Vec<Stopped>, Error> {
    let Some((data_dir, wrong)) = DataDir::open_as_it_is(data_dir)? else { return Ok(Vec::new()) };
    let (_lock, unlocked) = lock(&data_dir, wait)?;
    let mut stopped = stop_clusters(&data_dir, wait)?;
    for wrong in wrong.iter().chain(&unlocked) {
        say(&wrong.to_string());
    }
    if wrong.is_none() {
        sweep(&data_dir, containers, say)?;
    }
    let mut unasked = None;
    for kept in Kept::all(&data_dir)? {
        match stop_container(&kept, containers, say) {
            Ok(true) => stopped.push(Stopped::container(&kept)),
            Ok(false) => {}
            Err(Error::NoEngine(error)) if error.is_absent => {
                say(&format!("the container {} was not looked at: {error}", kept.name()));
            }
            Err(Error::NoEngine(error)) => {
                unasked = unasked.or(Some(Error::Unasked { name: kept.name().to_owned(), error }));
            }
            Err(error) => return Err(error),
        }
    }
    unasked.map_or(Ok(stopped), Err)
}

/// Ends every server of this data directory, and deletes its clusters (those that were put aside too), containers
/// with their volumes, templates and passwords.
///
/// While a throw-away server is in use, or one that was left cannot be ended, nothing is. A directory without our marker is refused, and what is not ours in one with it is left. Where a container cannot
/// be removed nothing is deleted: its record is all that is known of it.
pub fn purge(
    data_dir: &Path,
    containers: &Containers<'_>,
    wait: Duration,
    say: Say<'_>,
) -> Result<Vec<Stopped>, Error> {
    let Some((data_dir, wrong)) = DataDir::open_as_it_is(data_dir)? else { return Ok(Vec::new()) };
    let (_lock, unlocked) = lock(&data_dir, wait)?;
    if let Some(wrong) = wrong.or(unlocked) {
        for stopped in stop_clusters(&data_dir, wait)? {
            say(&format!("stopped {stopped}"));
        }
        return Err(wrong);
    }
    if let Some(left) = sweep(&data_dir, containers, say)? {
        return Err(left);
    }
    let mut stopped = stop_clusters(&data_dir, wait)?;
    let mut removed: Vec<(Kept, Helper)> = Vec::new();
    for kept in Kept::all(&data_dir)? {
        let engine = Engine::at(&kept.engine, containers.engine);
        let engine = engine.map_err(|error| Error::Left {
            name: kept.name().to_owned(),
            record: kept.directory().to_owned(),
            volume: kept.volume.clone().unwrap_or_default(),
            error: error.to_string(),
        })?;
        let helper = Helper::build(containers.helper, &engine, containers.engine, say)?;
        // In order: nothing else may use the volume that goes.
        let was_running = helper.stop(&kept)?;
        helper.remove(&kept)?;
        if was_running {
            stopped.push(Stopped::container(&kept));
        }
        removed.push((kept, helper));
    }
    // One volume may be that of several: of other settings.
    for (kept, helper) in &removed {
        helper.remove_volume(kept)?;
    }
    data_dir.delete()?;
    Ok(stopped)
}

/// Every kept container: first the one that was started last. Its engine is asked.
pub fn containers(data_dir: &Path, settings: &EngineSettings) -> Result<Vec<ContainerStatus>, Error> {
    let Some(data_dir) = DataDir::open(data_dir)? else { return Ok(Vec::new()) };
    let status = |kept: Kept| ContainerStatus {
        name: kept.name().to_owned(),
        image: kept.image.clone(),
        engine: kept.engine.clone(),
        state: match container::state(&kept, settings) {
            Ok(engine::Seen::Running { port: Some(port), .. }) => format!("running, port {port}"),
            Ok(engine::Seen::Running { port: None, .. }) => "running, no port published".to_owned(),
            Ok(engine::Seen::Ended(how)) => how,
            Ok(engine::Seen::Absent) => "removed; its data are kept".to_owned(),
            Err(error) => format!("not looked at: {error}"),
        },
    };
    Ok(Kept::all(&data_dir)?.into_iter().map(status).collect())
}

/// Every kept cluster: first the one that was started last, at the end those that were put aside. Waits
/// for nothing, changes nothing.
pub fn status(data_dir: &Path) -> Result<Vec<Status>, Error> {
    let Some(data_dir) = DataDir::open(data_dir)? else { return Ok(Vec::new()) };
    Ok(data_dir.clusters()?.iter().chain(&data_dir.broken_clusters()?).map(status_of).collect())
}

/// Whether the container ran until now.
fn stop_container(kept: &Kept, containers: &Containers<'_>, say: Say<'_>) -> Result<bool, Error> {
    let engine = Engine::at(&kept.engine, containers.engine)?;
    match engine.container(kept.name())? {
        // A paused one holds its memory and its port.
        engine::Seen::Ended(how) if how != "paused" && how != "restarting" => return Ok(false),
        engine::Seen::Absent => return Ok(false),
        _ => {}
    }
    Helper::build(containers.helper, &engine, containers.engine, say)?.stop(kept)
}

/// The lock; or why it cannot be taken, where that is no other process: what runs is stopped all the same.
fn lock(data_dir: &DataDir, wait: Duration) -> Result<(Option<Lock>, Option<Error>), Error> {
    match data_dir.lock(wait) {
        Ok(lock) => Ok((Some(lock), None)),
        Err(held @ Error::Locked { .. }) => Err(held),
        Err(error) => Ok((None, Some(error))),
    }
}

/// Ends each server; one that cannot be ended keeps no other from its end.
fn stop_clusters(data_dir: &DataDir, wait: Duration) -> Result<Vec<Stopped>, Error> {
    let ends = data_dir.clusters()?.into_iter().map(|cluster| {
        let pid = cluster.stop(wait)?;
        Ok(pid.map(|pid| Stopped::Cluster { name: cluster.name().to_owned(), pid }))
    });
    // All of them first.
    let ends: Vec<Result<_, Error>> = ends.collect();
    ends.into_iter().filter_map(Result::transpose).collect()
}

impl Stopped {
    fn container(kept: &Kept) -> Self {
        Self::Container { name: kept.name().to_owned(), image: kept.image.clone() }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster { name, pid } => write!(f, "PostgreSQL {name}, process {pid}"),
            Self::Container { name, image } => write!(f, "the container {name} of {image}"),
        }
    }
}

fn status_of(cluster: &Cluster) -> Status {
    let unready = |reason: String| match cluster.postmaster() {
        Ok(Some(pid)) => State::Unready { pid, reason },
        Ok(None) => State::Stopped,
        Err(error) => State::Broken { reason: error.to_string() },
    };
    let state = match cluster.look() {
        Ok(Seen::Ready(running)) => State::Running { pid: running.pid },
        Ok(Seen::Stopped | Seen::Stale(_)) => match cluster.missing() {
            Ok(None) => State::Stopped,
            Ok(Some(reason)) => State::Broken { reason },
            Err(error) => State::Broken { reason: error.to_string() },
        },
        Ok(Seen::Busy(error)) => {
            unready(error.map_or_else(|| "it is starting or stopping".to_owned(), |error| error.to_string()))
        }
        Err(error) => unready(error.to_string()),
    };
    Status {
        cluster: cluster.name().to_owned(),
        state,
        data: cluster.data(),
        log: cluster.log(),
        port: cluster.kept_port(),
        binaries: cluster.binaries(),
    }
}
