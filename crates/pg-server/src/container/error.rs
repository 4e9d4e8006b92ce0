//! Why a container gives no server, each time with what to do about it.

use std::{path::PathBuf, time::Duration};

use thiserror::Error;

use crate::{EngineError, LocalError};

/// What went wrong on the way to a server in a container. The hint is in brackets.
#[derive(Debug, Error)]
pub enum ContainerError {
    /// No engine answers, or it does not have the image and cannot get it.
    #[error(transparent)]
    NoEngine(#[from] EngineError),
    /// The helper program could not be built or run, or did not answer as it should.
    #[error("the program that speaks to the container engine {0}")]
    Helper(String),
    /// The engine refused what was asked of it.
    #[error("the container {name}: {said}")]
    Refused {
        /// The container.
        name: String,
        /// The engine's words.
        said: String,
    },
    /// The container ended instead of serving.
    #[error(
        "the server in the container {name} ended ({how}); the end of its log:\n{log}\n  [mend what the log names; `cargo xtask db-stop --purge` throws the container away, and its data]"
    )]
    Exited {
        /// The container.
        name: String,
        /// Its state, and its exit code.
        how: String,
        /// The end of its log.
        log: String,
    },
    /// The image is of another major version than the data: its name has moved from one to the next.
    #[error("{0}")]
    OtherVersion(String),
    /// The container runs, and its server does not serve in time.
    #[error("the server in the container {name} was not ready after {:.1} s: {seen}; the end of its log:\n{log}\n  [give --wait more seconds: it goes on starting]", waited.as_secs_f64())]
    NotReady {
        /// The container.
        name: String,
        /// How long we waited.
        waited: Duration,
        /// What the last login came to.
        seen: String,
        /// The end of its log.
        log: String,
    },
    /// The server runs and does not let its superuser in.
    #[error("the server in the container {name} refuses its superuser: {words} [write the superuser's password into {}; `cargo xtask db-stop --purge` throws the container away, and its data]", password.display())]
    Login {
        /// The container.
        name: String,
        /// What was said.
        words: String,
        /// Where the superuser's password is kept.
        password: PathBuf,
    },
    /// What answers at the container's port is another program.
    #[error("the server in the container {name} is not what answers at its port: {words}")]
    Foreign {
        /// The container.
        name: String,
        /// How it was told.
        words: String,
    },
    /// A container that did not come up could not be removed either.
    #[error("{first}\nand the container {name} is left: {then}")]
    NotRemoved {
        /// The container.
        name: String,
        /// Why it gave no server.
        first: Box<Self>,
        /// Why it is there still.
        then: Box<Self>,
    },
    /// The directory of this workspace's servers.
    #[error(transparent)]
    DataDir(Box<LocalError>),
}

impl From<LocalError> for ContainerError {
    fn from(error: LocalError) -> Self {
        Self::DataDir(Box::new(error))
    }
}

impl ContainerError {
    /// Whether the next rung may serve instead: there is nothing here yet that could be missed.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::NoEngine(_) | Self::Helper(_) | Self::Refused { .. })
    }
}
