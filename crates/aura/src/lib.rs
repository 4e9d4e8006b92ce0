//! The data layer of Aura, an art collection manager: its embedded migrations, and typed queries for what the
//! application does all day.
//!
//! ```no_run
//! # fn main() -> Result<(), aura::Error> {
//! let mut client = aura::connect("postgres://aura_user:secret@localhost/aura_db")?;
//! aura::migrate(&mut client, std::time::Duration::from_secs(60), &mut |_| ())?;
//! let note = aura::notes::NewNote { title: "Cadre".into(), content: "à redorer".into(), is_favorite: false };
//! aura::notes::add(&mut client, 1, &note)?;
//! # Ok(()) }
//! ```
//!
//! No name here is qualified by a schema: the connection's search_path places the tables, and [`migrate`] refuses
//! to run where that would be `public`.

mod adopt;
pub mod artworks;
mod cli;
mod connect;
mod definitions;
mod error;
mod history;
mod like;
mod lock;
mod migrate;
pub mod notes;
mod place;
mod slug;
mod tags;

pub use cli::main;
pub use connect::connect;
pub use definitions::Difference;
pub use error::{Error, Result};
pub use history::{Entry, State};
pub use migrate::{Progress, Status, migrate, status};
pub use place::Place;

/// The types of the columns, from the crates that the queries use: a caller needs no version of its own.
pub use {rust_decimal::Decimal, time::Date, time::OffsetDateTime, uuid::Uuid};
