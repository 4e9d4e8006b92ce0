//! Where a running PostgreSQL server comes from: one that is named, or one of this workspace, in a container or
//! from installed binaries.
//!
//! [`find`] goes down the ladder. Nothing here prints or reads the environment: what is going on goes to
//! a [`Say`], and what the environment says is in the [`Request`].

mod app_password;
mod container;
mod data_dir;
mod engine;
mod ephemeral;
mod error;
mod files;
mod group;
mod install;
mod ladder;
mod local;
mod lock;
mod login;
mod other_data;
mod password;
mod poll;
mod request;
mod server;
mod shell;
mod started_addresses;
mod status;
mod stop;
mod sweep;

pub use app_password::app_password;
pub use container::{BuildHelper, Container, ContainerSettings};
pub use engine::{EngineError, EngineSettings};
pub use ephemeral::Ephemeral;
pub use error::Error;
pub use group::{Group, ignores, interrupt};
pub use install::install_where_missing;
pub use ladder::find;
pub use local::{Binaries, ClusterTemplate, Local, Throwaway, Version, end_throwaway, scratch, template, throwaway};
pub use lock::Turn;
pub use request::{Dump, Mode, Request};
pub use server::{NoServer, Rung, Server, Skipped};
pub use shell::shell_word;
pub use started_addresses::StartedAddresses;
pub use status::{ClusterState, ClusterStatus, ContainerStatus, clusters, containers};
pub use stop::{Stopped, purge, stop};

/// Who is told, in one line each, what takes time or deserves a remark. A line behind a carriage return says how far the
/// step of the line before is: on a terminal it takes the place of the last such line.
pub type Say<'a> = &'a mut dyn FnMut(&str);
