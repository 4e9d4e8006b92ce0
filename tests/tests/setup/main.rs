//! `db-setup` and what it stands on, end to end: one file a subject.

mod concurrency;
mod configuration;
mod existing;
mod failures;
mod login;
mod migrating;
mod names;
mod nothing;
mod reset;
mod rights;
mod script;
mod secrets;
mod state;
