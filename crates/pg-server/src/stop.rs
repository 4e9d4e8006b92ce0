//! Stopping and deleting the servers of a workspace, and what is known of them (`db-stop`, `db-status`).

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Binaries, LocalError,
    cluster::{Cluster, Seen},
    data_dir::DataDir,
};

/// A server that was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The name of its cluster: the major version.
    pub cluster: String,
    /// The process id that it had.
    pub pid: u32,
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
pub fn stop(data_dir: &Path, wait: Duration) -> Result<Vec<Stopped>, LocalError> {
    let Some(data_dir) = DataDir::open(data_dir)? else { return Ok(Vec::new()) };
    let _lock = data_dir.lock(wait)?;
    stop_all(&data_dir, wait)
}

/// Ends every server of this data directory, and deletes its clusters (those that were put aside too),
/// templates and passwords.
///
/// A directory without our marker is refused, and what is not ours in one with it is left.
pub fn purge(data_dir: &Path, wait: Duration) -> Result<Vec<Stopped>, LocalError> {
    let Some(data_dir) = DataDir::open(data_dir)? else { return Ok(Vec::new()) };
    let _lock = data_dir.lock(wait)?;
    let stopped = stop_all(&data_dir, wait)?;
    data_dir.delete()?;
    Ok(stopped)
}

/// Every kept cluster: first the one that was started last, at the end those that were put aside. Waits
/// for nothing, changes nothing.
pub fn status(data_dir: &Path) -> Result<Vec<Status>, LocalError> {
    let Some(data_dir) = DataDir::open(data_dir)? else { return Ok(Vec::new()) };
    data_dir.clusters()?.iter().chain(&data_dir.broken_clusters()?).map(status_of).collect()
}

fn stop_all(data_dir: &DataDir, wait: Duration) -> Result<Vec<Stopped>, LocalError> {
    let mut stopped = Vec::new();
    for cluster in data_dir.clusters()? {
        if let Some(pid) = cluster.stop(wait)? {
            stopped.push(Stopped { cluster: cluster.name().to_owned(), pid });
        }
    }
    Ok(stopped)
}

fn status_of(cluster: &Cluster) -> Result<Status, LocalError> {
    let unready = |reason: String| {
        Ok::<_, LocalError>(cluster.postmaster()?.map_or(State::Stopped, |pid| State::Unready { pid, reason }))
    };
    let state = match cluster.look() {
        Ok(Seen::Ready(running)) => State::Running { pid: running.pid },
        Ok(Seen::Stopped | Seen::Stale(_)) => match cluster.missing() {
            Ok(None) => State::Stopped,
            Ok(Some(reason)) => State::Broken { reason },
            Err(error) => State::Broken { reason: error.to_string() },
        },
        Ok(Seen::Busy) => unready("it is starting or stopping".to_owned())?,
        Err(error) => unready(error.to_string())?,
    };
    Ok(Status {
        cluster: cluster.name().to_owned(),
        state,
        data: cluster.data(),
        log: cluster.log(),
        port: cluster.kept_port(),
        binaries: cluster.binaries(),
    })
}
