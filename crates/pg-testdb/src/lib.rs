//! A database for a test: migrated, the test's own, with the path, privileges and roles of the real one, in
//! milliseconds.
//!
//! ```no_run
//! # use pg_testdb::TestDb;
//! #[test]
//! fn a_note_is_kept() -> Result<(), Box<dyn std::error::Error>> {
//!     let db = TestDb::new()?;
//!     let mut client = db.client()?;
//!     client.execute("INSERT INTO tag (name) VALUES ('à redorer')", &[])?;
//!     // Or hand `db.url()` to whatever connects: sqlx, diesel, a program.
//!     Ok(())
//! }
//! ```
//!
//! The server is the one of `cargo xtask db-setup`: the same ladder, the same configuration, the project of the
//! workspace's `Cargo.toml`. On it lies a template, made once by the app's own migrations and verified; a test gets
//! a clone of it, or one that an earlier test gave back and that is *proved* to be as it was.
//!
//! A test that panics keeps its database, and says how to look at it. Nothing here needs or blocks a runtime: all
//! of it works in a plain test as in a `#[tokio::test]`, under `cargo test` and under `cargo nextest`.

mod baseline;
mod clone;
mod cloning;
mod error;
mod lease;
mod mark;
mod name;
mod named;
mod prepared;
mod proof;
mod role;
mod server;
mod session;
mod sweep;
mod template;
mod testdb;

pub use error::Error;
pub use lease::Finished;
pub use named::{clone_named, drop_named};
pub use testdb::TestDb;
