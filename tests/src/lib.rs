//! What the end-to-end tests stand on: servers of their own, workspaces of their own, and the real
//! program run in them with a scrubbed environment.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a broken test setup has nobody to tell but the test"
)]

mod apart;
mod arbitrary;
mod binaries;
mod client;
mod cluster;
mod directory;
mod engine;
mod outside;
mod peers;
mod postmaster;
mod prepared;
mod proxy;
mod python;
mod run;
mod rung;
mod schema;
mod screen;
mod signals;
mod skip;
mod standby;
mod stopped;
mod workspace;

pub use apart::{alone, cargo, cargo_of, kept, path_with};
pub use arbitrary::any_connection;
pub use binaries::is_there;
pub use client::{connection, psql, scrubbed};
pub use cluster::Cluster;
pub use directory::check_own;
pub use engine::{Engine, docker};
pub use outside::{Outside, outside};
pub use peers::{container_helper, peers};
pub use postmaster::Postmaster;
pub use proxy::{Message, Passage, Proxy, Sender};
pub use python::Python;
pub use run::Run;
pub use rung::{Rung, image};
pub use schema::violation;
pub use screen::shows;
pub use signals::default_signals;
pub use skip::{has, skipped};
pub use standby::become_standby;
pub use stopped::Stopped;
pub use workspace::Workspace;
