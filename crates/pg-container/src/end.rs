//! Stopping and removing.

use std::path::Path;

use anyhow::{Context as _, bail};
use testcontainers::bollard::{
    Docker,
    query_parameters::{RemoveContainerOptionsBuilder, RemoveVolumeOptions, StopContainerOptionsBuilder},
};
use tokio::time::sleep;

use crate::{
    answer::Container,
    inspect::{CONFLICT, NOT_FOUND, is},
    lock::{LOOKS, PAUSE, locked},
};

/// Stops those that run. Their data stay.
pub(crate) async fn stop(docker: &Docker, names: &[String], seconds: i32) -> anyhow::Result<Vec<Container>> {
    let mut containers = Vec::new();
    for name in names {
        let before = Container::of(docker, name).await?;
        if ["absent", "exited", "created", "dead"].contains(&before.state.as_str()) {
            containers.push(before);
            continue;
        }
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        docker.stop_container(name, Some(options)).await.with_context(|| format!("stop the container {name}"))?;
        containers.push(Container::of(docker, name).await?.having("stopped"));
    }
    Ok(containers)
}

/// Removes containers with their data, and then volumes.
pub(crate) async fn remove(
    docker: &Docker,
    names: &[String],
    volumes: &[String],
    lock: Option<&Path>,
) -> anyhow::Result<Vec<Container>> {
    let _lock = lock.filter(|path| path.exists()).map(locked).transpose()?;
    let mut containers = Vec::new();
    for name in names {
        let before = Container::of(docker, name).await?;
        let is_there = before.state != "absent";
        let after = removed(docker, name).await?;
        containers.push(if is_there { after.having("removed") } else { after });
    }
    for volume in volumes {
        match docker.remove_volume(volume, None::<RemoveVolumeOptions>).await {
            Err(error) if !is(&error, NOT_FOUND) => {
                return Err(error).with_context(|| format!("remove the volume {volume}"));
            }
            _ => {}
        }
    }
    Ok(containers)
}

/// Removes one container, and waits until it is gone: another may be removing it.
async fn removed(docker: &Docker, name: &str) -> anyhow::Result<Container> {
    for _ in 0..LOOKS {
        let after = clear(docker, name).await?;
        if after.state == "absent" {
            return Ok(after);
        }
        sleep(PAUSE).await;
    }
    let state = Container::of(docker, name).await?.state;
    bail!("the container {name} does not get removed: it stays {state}")
}

/// Removes one container, in whatever state it is, with its unnamed volumes; gives what is there then: nothing, or
/// what another is removing.
pub(crate) async fn clear(docker: &Docker, name: &str) -> anyhow::Result<Container> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match docker.remove_container(name, Some(options)).await {
        // Not there, or being removed by another already.
        Err(error) if !is(&error, NOT_FOUND) && !is(&error, CONFLICT) => {
            Err(error).with_context(|| format!("remove the container {name}"))
        }
        _ => Container::of(docker, name).await,
    }
}
