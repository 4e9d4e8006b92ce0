//! `db-setup` and what it stands on, end to end: one file a subject.

#![expect(clippy::unwrap_used, reason = "a test has nobody to tell but its reader")]

mod concurrency;
mod configuration;
mod data_dir;
mod existing;
mod failures;
mod login;
mod managed;
mod migrate_failures;
mod migrating;
mod names;
mod nothing;
mod other_version;
mod owners;
mod refused_logins;
mod reset;
mod rights;
mod script;
mod secrets;
mod signals;
mod state;
mod surroundings;
mod versions;
