//! What `db-verify` finds, what it fixes, and what it leaves alone.

#![expect(clippy::unwrap_used, reason = "only the test reads what a helper fails with")]

mod budget;
mod case;
mod copies;
mod drift;
mod fix;
mod foreign;
mod indexes;
mod lasting;
mod login;
mod migrations;
mod other_schemas;
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
mod settings;
mod standby;
mod warnings;
