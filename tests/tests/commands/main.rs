//! The commands beside `db-setup` and `db-verify`: what each prints, and how it ends.

#![expect(clippy::unwrap_used, reason = "a helper of a test has nobody to tell but the test")]

mod bench;
mod ci;
mod completions;
mod connection;
mod explain;
mod migrate;
mod psql;
mod report_file;
mod status;
