//! What the end-to-end tests stand on: servers of their own, workspaces of their own, and the real
//! program run in them with a scrubbed environment.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a broken test setup has nobody to tell but the test"
)]

mod client;
mod cluster;
mod run;
mod workspace;

pub use client::psql;
pub use cluster::Cluster;
pub use run::Run;
pub use workspace::Workspace;
