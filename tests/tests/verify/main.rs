//! What `db-verify` finds, what it mends, and what it leaves alone.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a helper of a test has nobody to tell but the test")]

mod budget;
mod case;
mod copies;
mod fix;
mod indexes;
mod lasting;
mod login;
mod migrations;
mod owners;
mod path;
mod placement;
mod privileges;
mod quiet;
mod report;
mod reports;
mod routines;
mod schema;
mod sequences;
mod sessions;
mod standby;
mod warnings;
