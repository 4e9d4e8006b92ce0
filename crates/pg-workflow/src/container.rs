//! What the container rung needs of the configuration and the environment.

use std::path::PathBuf;

use pg_config::{Environment, Source};
use pg_server::{BuildHelper, ContainerSettings, EngineSettings};

use crate::Context;

/// The variables by which the Docker command line finds its engine.
pub fn engine_settings(environment: &Environment) -> EngineSettings {
    let text = |key| environment.process(key).map(str::to_owned);
    let path = |key| environment.process_os(key).map(PathBuf::from);
    EngineSettings {
        docker_host: text("DOCKER_HOST"),
        docker_context: text("DOCKER_CONTEXT"),
        docker_config: path("DOCKER_CONFIG"),
        tls_verify: text("DOCKER_TLS_VERIFY"),
        cert_path: path("DOCKER_CERT_PATH"),
        runtime_dir: path("XDG_RUNTIME_DIR"),
        home: path("HOME"),
        registry_auth_file: path("REGISTRY_AUTH_FILE"),
        path: environment.process_os("PATH").map(Into::into),
    }
}

/// What the container rung needs.
pub fn container_settings<'a>(
    context: &'a Context,
    engine: &'a EngineSettings,
    helper: BuildHelper<'a>,
) -> ContainerSettings<'a> {
    let config = &context.config;
    ContainerSettings {
        project: &config.project.name,
        workspace: &config.project.root,
        image: &config.image.value,
        image_is_default: config.image.source == Source::Default,
        engine,
        helper,
    }
}
