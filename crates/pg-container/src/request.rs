//! What `pg-server` may ask for.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

/// One request a run.
#[derive(Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Make sure that a container runs.
    Start(Start),
    /// Say how containers are.
    Look {
        /// Their names.
        names: Vec<String>,
    },
    /// Stop those that run.
    Stop {
        /// Their names.
        names: Vec<String>,
        /// How long each may take before it is killed.
        seconds: i32,
    },
    /// Remove containers, running or not, and volumes. What is not there is fine.
    Remove {
        /// Their names.
        names: Vec<String>,
        /// The named volumes that go with them.
        volumes: Vec<String>,
        /// As that of a start: what is just being started is waited for.
        lock: Option<PathBuf>,
    },
}

/// The container that must run.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    /// Its name: no two configurations share one.
    pub(crate) name: String,
    /// `postgres:18`, `registry:5000/postgres@sha256:…`.
    pub(crate) image: String,
    /// The port that the server listens on inside.
    pub(crate) port: u16,
    /// The address of the engine's machine that the port is published on; the engine chooses the port there.
    pub(crate) publish: String,
    /// The program's arguments.
    pub(crate) arguments: Vec<String>,
    /// The environment, which the engine tells to everybody who looks at the container.
    pub(crate) environment: BTreeMap<String, String>,
    /// Files that are put into it before it starts, by their paths there: the password, which is why this comes by
    /// stdin.
    pub(crate) files: BTreeMap<String, String>,
    /// The named volume of the data; none: they lie in memory, and go with the container.
    pub(crate) volume: Option<String>,
    /// A file that is made before the volume is, and only then: whoever uses the data deletes it.
    pub(crate) unserved: Option<PathBuf>,
    /// For people who look at the container.
    pub(crate) labels: BTreeMap<String, String>,
    /// A file that is locked for as long as this takes. Whoever asked may be killed meanwhile, and ask again.
    pub(crate) lock: PathBuf,
}
