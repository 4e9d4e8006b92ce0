//! Where a running PostgreSQL server comes from: one that is named, or one of this workspace, in a container or
//! from installed binaries.
//!
//! [`find`] goes down the ladder. Nothing here prints or reads the environment: what is going on goes to
//! a [`Say`], and what the environment says is in the [`Request`].

mod container;
mod data_dir;
mod engine;
mod ephemeral;
mod error;
mod group;
mod install;
mod ladder;
mod local;
mod lock;
mod other_data;
mod password;
mod poll;
mod recorded;
mod stop;

pub use container::{BuildHelper, Container, ContainerError, Containers};
pub use engine::{EngineError, EngineSettings};
pub use ephemeral::Ephemeral;
pub use error::LocalError;
pub use group::{Group, interrupt};
pub use install::install_where_missing;
pub use ladder::{Mode, NoServer, Request, Rung, Server, Skipped, Source, find};
pub use local::{Binaries, Local, Template, Throwaway, Version, end_throwaway, scratch, template, throwaway};
pub use other_data::Dump;
pub use password::app_password;
pub use recorded::Recorded;
pub use stop::{ContainerStatus, State, Status, Stopped, containers, purge, status, stop};

/// Who is told, in one line each, what takes time or deserves a remark.
pub type Say<'a> = &'a mut dyn FnMut(&str);
