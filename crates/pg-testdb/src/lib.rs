//! A database for each test: migrated, its own, with the role, privileges and search_path of the real one, in 1 to 2 ms.
//!
//! ```no_run,test_harness
//! use pg_testdb::TestDb;
//!
//! #[test]
//! fn a_note_is_kept() -> Result<(), Box<dyn std::error::Error>> {
//!     let db = TestDb::new()?;
//!     let mut client = db.client()?;
//!     client.execute("INSERT INTO note (title) VALUES ('Frame')", &[])?;
//!     // Or give `db.url()` to what connects: sqlx, diesel, a program.
//!     Ok(())
//! }
//! ```
//!
//! The project is the table `[workspace.metadata.database]` of the workspace's `Cargo.toml`:
//!
//! ```toml
//! [workspace.metadata.database]
//! name = "shop"
//! database = "shop_db"
//! role = "shop_user"
//! schema = "shop"
//! migrate-command = "psql -X -q -v ON_ERROR_STOP=1 --single-transaction -f schema.sql"
//! migrate-inputs = "schema.sql"
//! ```
//!
//! The server is the one of `cargo xtask db-setup`: named by `DATABASE_URL` or `DB_HOST` and `DB_PORT`, with
//! `ADMIN_DATABASE_URL`, in the environment or in `.env`; else one that runs already, or is started in a container or
//! from installed binaries. `DB_SERVER`, `POSTGRES_IMAGE`, `PG_BIN_DIR` and `DB_DATA_DIR` choose among these.
//!
//! On the server is a template: made once by the app's own migrations, verified, and named by a digest of the files of
//! `migrate-inputs`, the settings and the server's version. A test gets a clone of it, or one that an earlier test gave
//! back and that is *proved* to be as it was ([`Finished`]).
//!
//! # Async tests
//!
//! ```no_run
//! # async fn connect(_: &str) -> Result<(), Box<dyn std::error::Error>> { Ok(()) }
//! // #[tokio::test], or #[test] with any other runtime
//! async fn a_note_is_kept() -> Result<(), Box<dyn std::error::Error>> {
//!     let db = pg_testdb::TestDb::new()?;
//!     let pool = connect(&db.url()).await?; // sqlx::PgPool::connect, say
//!     Ok(())
//! }
//! ```
//!
//! [`TestDb::new`], [`empty`](TestDb::empty), [`finish`](TestDb::finish), [`keep`](TestDb::keep) and dropping block the
//! thread that calls them. They speak to the server on a thread of their own, which is joined: the driver has a runtime,
//! which may not be started within that of a test. They may be called in an async function, then; other tasks of the
//! same thread wait meanwhile. Where that matters, use `spawn_blocking(TestDb::new)`. [`client`](TestDb::client) and
//! [`administrator`](TestDb::administrator) give blocking clients, for plain tests only.
//!
//! # Limits
//!
//! - PostgreSQL 13 or newer. Databases are used again from 15 on, where the administrator is superuser and the app's role
//!   is not. Elsewhere each test's database is cloned and dropped.
//! - At most a quarter of `max_connections` are in use at once, by all processes. A test waits up to 5 minutes for one.
//! - A server that is starting, or has no free connection, is waited for up to 30 s.
//! - A failed test's database stays for a day; of these at most ten.
//! - Roles, their passwords and settings belong to the whole server: tests share them. What a test changes of the app's
//!   own role is put back afterwards, where databases are used again.
//! - `TRUNCATE`, DDL and changes of the migrations' own rows are allowed. They cost the next test a new clone.

mod baseline;
mod cloning;
mod dropping;
mod error;
mod lease;
mod locks;
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
#[doc(hidden)] // For the commands of `cargo xtask`.
pub use named::{clone_named, drop_named};
/// The driver of [`TestDb::client`], in the version that it has.
pub use postgres;
pub use testdb::TestDb;
