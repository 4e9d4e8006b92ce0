//! From the configuration to a server, and to a database that is provisioned, migrated and verified on it: the steps
//! of `db-setup`, for the commands of `pg-xtask` and for the test databases of `pg-testdb`.
//!
//! ```text
//! Context → Target::find → migrate::build → set_up → Verdict
//! ```
//!
//! Nothing here prints: what is going on is told to a [`Voice`].

mod access;
mod cargo;
mod container;
mod context;
mod failure;
pub mod helper;
mod lock_waits;
pub mod migrate;
mod named_server;
mod relocate;
mod reset;
mod setup;
mod target;
mod voice;

pub use cargo::{is_of_outer_cargo, of_outer_cargo};
pub use container::{container_settings, engine_settings};
pub use context::Context;
pub use failure::{is_no_server, whole};
pub use lock_waits::report_lock_waits;
pub use relocate::{MoveOptions, MoveOutcome, relocate};
pub use reset::reset;
pub use setup::{Times, migrate_and_verify, set_up};
pub use target::{Target, expected_anywhere};
pub use voice::{Silence, Voice, say_change};
