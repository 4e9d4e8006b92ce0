//! Stopping and deleting the servers of a workspace (`db-stop`).

use std::{fmt, path::Path, time::Duration};

use crate::{
    ContainerSettings, Error, Say,
    container::{ContainerRecord, Helper},
    data_dir::DataDir,
    engine::{self, Engine},
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

/// Ends every server of this data directory, open sessions or not; `wait` is what each one gets for an
/// orderly end. Data stay. Nothing there, or nothing running: no error, and no entry.
///
/// Of a container whose engine is not there that is said, and no more: it does not run without it. An engine that
/// is there and does not say how the container is, is an error, once everything else has ended.
pub fn stop(
    data_dir: &Path,
    containers: &ContainerSettings<'_>,
    wait: Duration,
    say: Say<'_>,
) -> Result<Vec<Stopped>, Error> {
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
    for kept in ContainerRecord::all(&data_dir)? {
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
/// Nothing is deleted while an ephemeral server is in use, or while one that was left cannot be ended. A directory
/// without our marker is refused, and what is not ours in one with it is left. Where a container cannot be removed
/// nothing is deleted: its record is all that is known of it.
pub fn purge(
    data_dir: &Path,
    containers: &ContainerSettings<'_>,
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
    let mut removed: Vec<(ContainerRecord, Helper)> = Vec::new();
    for kept in ContainerRecord::all(&data_dir)? {
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

/// Whether the container ran until now.
fn stop_container(kept: &ContainerRecord, containers: &ContainerSettings<'_>, say: Say<'_>) -> Result<bool, Error> {
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
    fn container(kept: &ContainerRecord) -> Self {
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
