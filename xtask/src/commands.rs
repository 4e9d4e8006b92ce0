//! The commands: each file holds one command's `run` and what only it needs.

mod bench;
mod ci;
mod clone;
mod completions;
mod env;
mod migrate;
mod psql;
mod reset;
mod setup;
mod status;
mod stop;
mod url;
mod verify;

pub(crate) use ci::Shard;
pub(crate) use completions::completions;
