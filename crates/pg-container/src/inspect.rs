//! Asking the engine how containers are.

use anyhow::Context as _;
use futures_util::StreamExt as _;
use testcontainers::bollard::{
    Docker,
    errors::Error,
    models::ContainerStateStatusEnum,
    query_parameters::{InspectContainerOptions, LogsOptionsBuilder},
};

use crate::answer::Container;

/// How each is, with the end of its log.
pub(crate) async fn look(docker: &Docker, names: &[String]) -> anyhow::Result<Vec<Container>> {
    let mut containers = Vec::new();
    for name in names {
        let mut container = Container::of(docker, name).await?;
        if container.state != "absent" {
            container.log = Some(log(docker, name).await);
        }
        containers.push(container);
    }
    Ok(containers)
}

impl Container {
    /// How the container of this name is.
    pub(crate) async fn of(docker: &Docker, name: &str) -> anyhow::Result<Self> {
        match docker.inspect_container(name, None::<InspectContainerOptions>).await {
            Ok(found) => {
                let status = found.state.and_then(|state| state.status).unwrap_or(ContainerStateStatusEnum::EMPTY);
                Ok(Self { name: name.to_owned(), state: status.to_string(), ..Self::default() })
            }
            Err(error) if is(&error, NOT_FOUND) => {
                Ok(Self { name: name.to_owned(), state: "absent".to_owned(), ..Self::default() })
            }
            Err(error) => Err(error).with_context(|| format!("look at the container {name}")),
        }
    }

    /// The same with what was done to it.
    pub(crate) fn having(self, done: &'static str) -> Self {
        Self { done: Some(done), ..self }
    }
}

/// No such container, image or volume.
pub(crate) const NOT_FOUND: u16 = 404;
/// The name is taken; the volume is used.
pub(crate) const CONFLICT: u16 = 409;

/// Whether the engine answered with this HTTP status.
pub(crate) fn is(error: &Error, status: u16) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code, .. } if *status_code == status)
}

/// The last lines of both streams; a log that cannot be read is empty.
async fn log(docker: &Docker, name: &str) -> String {
    let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail("20").build();
    let mut lines = docker.logs(name, Some(options));
    let mut text = String::new();
    while let Some(Ok(line)) = lines.next().await {
        text.push_str(&line.to_string());
    }
    text
}
