//! Making sure that a container runs, whatever an earlier start has left.

use std::{collections::HashMap, fs, pin::pin};

use anyhow::{Context as _, bail};
use futures_util::StreamExt as _;
use testcontainers::{
    CopyTargetOptions, GenericImage, ImageExt as _,
    bollard::{
        Docker,
        models::PortBinding,
        query_parameters::{ListContainersOptionsBuilder, LogsOptionsBuilder, StartContainerOptions},
    },
    core::{IntoContainerPort as _, Mount, client::ClientError, error::TestcontainersError},
    runners::AsyncRunner as _,
};
use tokio::time::{sleep, timeout};

use crate::{
    TICK,
    answer::Container,
    end::{clear, remove, stop},
    inspect::{CONFLICT, NOT_FOUND, is},
    lock::{LOOKS, PAUSE, locked},
    request::Start,
    say,
};

/// The label that holds the name of the data's volume.
const VOLUME: &str = "pg-container.volume";

/// PostgreSQL's parallel queries share memory by `/dev/shm`, of which a container has 64 MB.
const SHARED_MEMORY: u64 = 256 << 20;

/// What the official image does as root before its server runs as another user: it gives directories away, enters and
/// changes those of others, and becomes that user. The server itself has none of these.
const CAPABILITIES: [&str; 5] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];

/// Gives the running container of this name: the one that is there, or a new one. Its server may still be starting.
pub(crate) async fn start(docker: &Docker, request: &Start) -> anyhow::Result<Container> {
    let _lock = locked(&request.lock)?;
    let name = &request.name;
    discard_half_initialised(docker, request).await?;
    clear_predecessors(docker, request).await?;
    for _ in 0..LOOKS {
        let found = Container::of(docker, name).await?;
        let running = match found.state.as_str() {
            "running" => Some(found),
            "absent" => create(docker, request).await?,
            "exited" => restart(docker, name).await?,
            "paused" => {
                docker.unpause_container(name).await.with_context(|| format!("unpause the container {name}"))?;
                None
            }
            // What a failed start has left.
            "created" | "dead" => {
                clear(docker, name).await?;
                None
            }
            // On its way from one state to another.
            _ => None,
        };
        if let Some(running) = running {
            return Ok(running);
        }
        sleep(PAUSE).await;
    }
    let state = Container::of(docker, name).await?.state;
    bail!("the container {name} does not get to run: it stays {state}")
}

/// Two servers on the same data would ruin them, and see nothing of each other: each is the first process of its
/// own. So the container that was made for other settings goes; its data stay.
async fn clear_predecessors(docker: &Docker, request: &Start) -> anyhow::Result<()> {
    let Some(volume) = &request.volume else { return Ok(()) };
    for (name, _) in containers_of(docker, volume).await? {
        if name != request.name {
            // In order, so that nothing that was committed is lost.
            stop(docker, std::slice::from_ref(&name), 30).await?;
            clear(docker, &name).await?;
        }
    }
    Ok(())
}

/// Removes a volume whose container was stopped while it initialised the cluster: `PG_VERSION` is written first, so the
/// image would take it for a whole one, and its server starts and lets nobody in.
async fn discard_half_initialised(docker: &Docker, request: &Start) -> anyhow::Result<()> {
    let (Some(volume), Some(mark)) = (&request.volume, &request.unserved) else { return Ok(()) };
    let containers = containers_of(docker, volume).await?;
    if !mark.exists() || containers.is_empty() {
        return Ok(());
    }
    for (name, state) in &containers {
        if (name == &request.name && state != "exited") || !is_half_initialised(docker, name).await {
            return Ok(());
        }
    }
    say(&format!("the volume {volume} is made again: its container was stopped before its cluster was complete"));
    let names: Vec<_> = containers.into_iter().map(|(name, _)| name).collect();
    remove(docker, &names, std::slice::from_ref(volume), None).await?;
    Ok(())
}

/// Whether the official image has begun to initialise a cluster in this container, and has not come to its end. What
/// other images write, we do not know.
async fn is_half_initialised(docker: &Docker, name: &str) -> bool {
    let options = LogsOptionsBuilder::new().stdout(true).stderr(true).build();
    let mut lines = docker.logs(name, Some(options));
    let mut has_begun = false;
    while let Some(line) = lines.next().await {
        let Ok(line) = line.map(|line| line.to_string()) else { return false };
        has_begun |= line.contains("The files belonging to this database system will be owned by user");
        if line.contains("PostgreSQL init process complete") {
            return false;
        }
    }
    has_begun
}

/// Names and states of all containers on a volume.
async fn containers_of(docker: &Docker, volume: &str) -> anyhow::Result<Vec<(String, String)>> {
    let filters = HashMap::from([("label".to_owned(), vec![format!("{VOLUME}={volume}")])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let found = docker.list_containers(Some(options)).await.context("list the containers")?;
    Ok(found
        .into_iter()
        .filter_map(|container| {
            let name = container.names?.into_iter().next()?;
            let state = container.state.map(|state| state.to_string()).unwrap_or_default();
            Some((name.trim_start_matches('/').to_owned(), state))
        })
        .collect())
}

/// Starts a stopped one. What it is made of may have gone since: then it is cleared, as it holds no data.
async fn restart(docker: &Docker, name: &str) -> anyhow::Result<Option<Container>> {
    let Err(error) = docker.start_container(name, None::<StartContainerOptions>).await else {
        return Ok(Some(Container::of(docker, name).await?.having("started")));
    };
    say(&format!("the stopped container {name} does not start and is made again: {error}"));
    clear(docker, name).await?;
    Ok(None)
}

/// Makes a new one, and starts it. `None`: somebody else was quicker with the name.
async fn create(docker: &Docker, request: &Start) -> anyhow::Result<Option<Container>> {
    let (name, tag) = name_and_tag(&request.image);
    let port = request.port.tcp();
    let binding = PortBinding { host_ip: Some(request.publish.clone()), host_port: None };
    let bindings = HashMap::from([(port.to_string(), Some(vec![binding]))]);
    let data = data_directory(docker, &request.image).await?;
    let mount = match &request.volume {
        Some(volume) => Mount::volume_mount(volume, data),
        None => Mount::tmpfs_mount(data),
    };
    mark_new_volume(docker, request).await?;
    let mut container = GenericImage::new(name, tag)
        .with_exposed_port(port)
        .with_container_name(&request.name)
        .with_cmd(&request.arguments)
        .with_labels(&request.labels)
        .with_mount(mount)
        .with_shm_size(SHARED_MEMORY)
        .with_cap_drop("ALL")
        // Programs with the bit of another user, or with capabilities of their own, get neither.
        .with_security_opt("no-new-privileges")
        .with_host_config_modifier(move |host| {
            // Else it would be on all addresses of the machine.
            host.publish_all_ports = Some(false);
            host.port_bindings = Some(bindings.clone());
        });
    for capability in CAPABILITIES {
        container = container.with_cap_add(capability);
    }
    for (path, content) in &request.files {
        // Not every image starts as root.
        let target = CopyTargetOptions::new(path).with_mode(0o444);
        container = container.with_copy_to(target, content.clone().into_bytes());
    }
    if let Some(volume) = &request.volume {
        container = container.with_label(VOLUME, volume);
    }
    for (key, value) in &request.environment {
        container = container.with_env_var(key, value);
    }
    match container.start().await {
        Ok(container) => {
            // Its end would be the container's, which is to outlive us.
            std::mem::forget(container);
            Ok(Some(Container::of(docker, &request.name).await?.having("created")))
        }
        Err(TestcontainersError::Client(ClientError::CreateContainer(error))) if is(&error, CONFLICT) => Ok(None),
        Err(error) => {
            // Not what the next start should find.
            clear(docker, &request.name).await?;
            Err(error).with_context(|| format!("start a container of {}", request.image))
        }
    }
}

/// What the engine is about to make with the container is told apart from what was there before, even where we are
/// killed in between.
async fn mark_new_volume(docker: &Docker, request: &Start) -> anyhow::Result<()> {
    let (Some(volume), Some(mark)) = (&request.volume, &request.unserved) else { return Ok(()) };
    match docker.inspect_volume(volume).await {
        Ok(_) => Ok(()),
        Err(error) if is(&error, NOT_FOUND) => fs::write(mark, "").with_context(|| format!("write {}", mark.display())),
        Err(error) => Err(error).with_context(|| format!("look at the volume {volume}")),
    }
}

/// Where inside the volume of the data goes: see [`mount_point`]. An image that is not there is pulled first.
async fn data_directory(docker: &Docker, image: &str) -> anyhow::Result<String> {
    let found = match docker.inspect_image(image).await {
        Err(error) if is(&error, NOT_FOUND) => {
            let (name, tag) = name_and_tag(image);
            let mut pull = pin!(GenericImage::new(name, tag).pull_image());
            let pulled = loop {
                say(&format!("pulling {image}"));
                if let Ok(pulled) = timeout(TICK, pull.as_mut()).await {
                    break pulled;
                }
            };
            let _ = pulled.with_context(|| format!("pull the image {image}"))?;
            docker.inspect_image(image).await
        }
        outcome => outcome,
    };
    let config = found.with_context(|| format!("look at the image {image}"))?.config.unwrap_or_default();
    Ok(mount_point(&config.env.unwrap_or_default(), &config.volumes.unwrap_or_default()).to_owned())
}

/// The volume that the image declares around its `PGDATA`: the nearest one, or `PGDATA` itself where it declares none.
/// Of a volume that is mounted elsewhere the data would not be part: the engine makes an unnamed one for each that is
/// declared, and that one goes with the container.
///
/// The official images declare `/var/lib/postgresql/data` up to 17, and `/var/lib/postgresql` from 18 on, where the
/// data are in `18/docker`.
fn mount_point<'a>(environment: &'a [String], volumes: &'a [String]) -> &'a str {
    let pgdata = environment.iter().find_map(|variable| variable.strip_prefix("PGDATA="));
    let pgdata = pgdata.unwrap_or("/var/lib/postgresql/data").trim_end_matches('/');
    let volumes = volumes.iter().map(|volume| volume.trim_end_matches('/'));
    let around = volumes.filter(|volume| format!("{pgdata}/").starts_with(&format!("{volume}/")));
    around.max_by_key(|volume| volume.len()).filter(|volume| !volume.is_empty()).unwrap_or(pgdata)
}

/// testcontainers puts them together again with a colon.
fn name_and_tag(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        // The colon of a registry's port is followed by a path.
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_put_together_again_by_a_colon() {
        for (image, parts) in [
            ("postgres:17", ("postgres", "17")),
            ("postgres", ("postgres", "latest")),
            ("registry:5000/postgres", ("registry:5000/postgres", "latest")),
            ("registry:5000/a/postgres:17-alpine", ("registry:5000/a/postgres", "17-alpine")),
            ("postgres@sha256:0123", ("postgres@sha256", "0123")),
        ] {
            assert_eq!(name_and_tag(image), parts);
        }
    }

    #[test]
    fn the_volume_goes_where_the_image_keeps_its_data() {
        for (pgdata, volumes, point) in [
            (Some("/var/lib/postgresql/data"), &["/var/lib/postgresql/data"][..], "/var/lib/postgresql/data"),
            (Some("/var/lib/postgresql/18/docker"), &["/var/lib/postgresql"], "/var/lib/postgresql"),
            (Some("/var/lib/postgresql/18/docker/"), &["/var/lib/postgresql/"], "/var/lib/postgresql"),
            (Some("/data/db"), &["/backup", "/data", "/data/db/"], "/data/db"),
            (Some("/database"), &["/data"], "/database"),
            (Some("/data"), &["/"], "/data"),
            (Some("/data"), &[], "/data"),
            (None, &[], "/var/lib/postgresql/data"),
        ] {
            let environment: Vec<_> = pgdata.iter().map(|pgdata| format!("PGDATA={pgdata}")).collect();
            let volumes: Vec<_> = volumes.iter().map(|volume| (*volume).to_owned()).collect();
            assert_eq!(mount_point(&environment, &volumes), point, "{pgdata:?}, {volumes:?}");
        }
    }
}
