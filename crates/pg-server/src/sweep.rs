//! Throw-away servers whose process has ended without ending them.

use std::{path::Path, time::Duration};

use crate::{
    ContainerSettings, Error, Say,
    container::{ContainerRecord, Helper},
    data_dir::DataDir,
    engine::Engine,
    files::{listed, remove_tree},
    local::{cluster::Cluster, user::Account},
    lock,
};

/// The file that is locked while the server is in use.
pub(crate) const LOCK: &str = "lock";
/// The directory of the cluster.
pub(crate) const CLUSTER: &str = "cluster";

/// Ends the servers whose process has ended without ending them. What cannot be ended now is left for the next time,
/// as is one that is in use: why the first of them is there still.
pub(crate) fn sweep(
    data_dir: &DataDir,
    containers: &ContainerSettings<'_>,
    say: Say<'_>,
) -> Result<Option<Error>, Error> {
    let mut left = None;
    for directory in data_dir.ephemeral_directories()? {
        let ended = match lock::acquire(&directory.join(LOCK), Duration::ZERO) {
            Ok(_lock) => match end_orphan(&directory, containers, say) {
                Ok(()) => {
                    remove_tree(&directory)?;
                    continue;
                }
                Err(error) => {
                    say(&format!("a throw-away server of an earlier run is left: {error}"));
                    error
                }
            },
            Err(Error::Locked { holder, .. }) => Error::InUse { directory, holder },
            // It has ended meanwhile.
            Err(_) if !directory.exists() => continue,
            Err(error) => error,
        };
        left = left.or(Some(ended));
    }
    Ok(left)
}

fn end_orphan(directory: &Path, containers: &ContainerSettings<'_>, say: Say<'_>) -> Result<(), Error> {
    let cluster = directory.join(CLUSTER);
    if cluster.exists() {
        let account = Account::choose()?.of(&cluster.join("data"));
        if let Some(pid) = Cluster::at(cluster, account).quit()? {
            say(&format!("ended a throw-away server that an earlier run has left, process {pid}"));
        }
    }
    for found in listed(directory)? {
        let Some(kept) = ContainerRecord::read(found)? else { continue };
        let engine = Engine::at(&kept.engine, containers.engine).map_err(Error::from)?;
        let helper = Helper::build(containers.helper, &engine, containers.engine, say)?;
        if helper.remove(&kept)? {
            say(&format!("removed the throw-away container {} that an earlier run has left", kept.name()));
        }
    }
    Ok(())
}
