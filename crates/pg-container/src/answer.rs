//! What is answered: how containers are.

use serde::Serialize;

/// The document on stdout.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// How those are that were asked for, in their order.
    Containers {
        /// One each.
        containers: Vec<Container>,
    },
    /// Why what was asked for was not done.
    Error {
        /// In one sentence.
        error: String,
    },
}

/// One container.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Container {
    pub(crate) name: String,
    /// Docker's word: `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`; or `absent`.
    pub(crate) state: String,
    /// What was done to it: `created`, `started`, `stopped`, `removed`; or nothing.
    pub(crate) done: Option<&'static str>,
    /// The end of what it wrote; only where it was looked at.
    pub(crate) log: Option<String>,
}
