//! What is known of the servers of a workspace (`db-status`).

use std::path::{Path, PathBuf};

use pg_config::in_one_line;

use crate::{
    Binaries, EngineSettings, Error,
    container::{self, ContainerRecord},
    data_dir::DataDir,
    engine,
    local::cluster::{Cluster, Seen},
};

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
pub struct ClusterStatus {
    /// Its name: the major version, `15`; for a pre-release the whole, `18beta1`.
    pub cluster: String,
    /// Whether its server runs.
    pub state: ClusterState,
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
pub enum ClusterState {
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

/// Every kept container: first the one that was started last. Its engine is asked.
pub fn containers(data_dir: &Path, settings: &EngineSettings) -> Result<Vec<ContainerStatus>, Error> {
    let Some(data_dir) = DataDir::open(data_dir)? else { return Ok(Vec::new()) };
    let status = |kept: ContainerRecord| ContainerStatus {
        name: kept.name().to_owned(),
        image: kept.image.clone(),
        engine: kept.engine.clone(),
        state: match container::state(&kept, settings) {
            Ok(engine::Seen::Running { port: Some(port), .. }) => format!("running, port {port}"),
            Ok(engine::Seen::Running { port: None, .. }) => "running, no port published".to_owned(),
            Ok(engine::Seen::Ended(how)) => how,
            Ok(engine::Seen::Absent) => "removed; its data are kept".to_owned(),
            Err(error) => format!("not looked at: {}", in_one_line(&error.to_string())),
        },
    };
    Ok(ContainerRecord::all(&data_dir)?.into_iter().map(status).collect())
}

/// Every kept cluster: first the one that was started last, at the end those that were put aside. Waits
/// for nothing, changes nothing.
pub fn clusters(data_dir: &Path) -> Result<Vec<ClusterStatus>, Error> {
    let Some(data_dir) = DataDir::open(data_dir)? else { return Ok(Vec::new()) };
    Ok(data_dir.clusters()?.iter().chain(&data_dir.broken_clusters()?).map(status_of).collect())
}

fn status_of(cluster: &Cluster) -> ClusterStatus {
    let unready = |reason: String| match cluster.postmaster() {
        Ok(Some(pid)) => ClusterState::Unready { pid, reason },
        Ok(None) => ClusterState::Stopped,
        Err(error) => ClusterState::Broken { reason: in_one_line(&error.to_string()) },
    };
    let state = match cluster.look() {
        Ok(Seen::Ready(running)) => ClusterState::Running { pid: running.pid },
        Ok(Seen::Stopped | Seen::Stale(_)) => match cluster.missing() {
            Ok(None) => ClusterState::Stopped,
            Ok(Some(reason)) => ClusterState::Broken { reason },
            Err(error) => ClusterState::Broken { reason: in_one_line(&error.to_string()) },
        },
        Ok(Seen::Busy(error)) => {
            unready(error.map_or_else(|| "it is starting or stopping".to_owned(), |error| error.in_one_line()))
        }
        Err(error) => unready(in_one_line(&error.to_string())),
    };
    ClusterStatus {
        cluster: cluster.name().to_owned(),
        state,
        data: cluster.data(),
        log: cluster.log(),
        port: cluster.kept_port(),
        binaries: cluster.binaries(),
    }
}
