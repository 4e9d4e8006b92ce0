//! What `db-verify` finds, what it mends, and what it leaves alone.

mod budget;
mod case;
mod lasting;
mod login;
mod migrations;
mod owners;
mod path;
mod placement;
mod privileges;
mod quiet;
mod report;
