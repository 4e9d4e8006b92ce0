//! TLS with libpq's meaning: the same connection strings go to psql and to us, and come to the same.

#![expect(clippy::unwrap_used, reason = "a helper of a test has nobody to tell but the test")]

mod case;
mod papers;
mod server;
mod table;
mod tables;
mod whole;
