//! What a search for a server needs to know.

use std::{ffi::OsStr, path::Path, time::Duration};

use pg_config::{Address, Durability, ServerChoice};

use crate::container::ContainerSettings;

/// What may be done to get a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: only a server that runs is found.
    Find,
    /// One may be started.
    Start,
    /// One may be started, and PostgreSQL be installed for it by the system's package manager.
    Install,
}

/// What the ladder needs to know.
#[derive(Clone)]
pub struct Request<'a> {
    /// Which rungs may be taken.
    pub choice: ServerChoice,
    /// What may be done.
    pub mode: Mode,
    /// The server that `DATABASE_URL` and its kin name.
    pub named: Option<Address>,
    /// `DB_DATA_DIR`: private to this user and this workspace; it need not exist.
    pub data_dir: &'a Path,
    /// `PG_BIN_DIR`.
    pub bin_dir: Option<&'a Path>,
    /// The value of `PATH`.
    pub path: Option<&'a OsStr>,
    /// What a server that is started keeps through a crash of its machine.
    pub durability: Durability,
    /// What the container rung needs.
    pub containers: ContainerSettings<'a>,
    /// How the app's data are copied, for what is said of data that a new server would not have.
    pub dump: Dump<'a>,
    /// How long a server may take to come up, and another process to let go of the data directory.
    pub wait: Duration,
}

/// How the app's data are dumped and restored, for the commands that copy them to another server: words of a shell.
#[derive(Clone, Copy, Debug)]
pub struct Dump<'a> {
    /// The app's database.
    pub database: &'a str,
    /// The arguments of `pg_dump` that choose what is the app's: `--schema=aura`.
    pub arguments: &'a str,
    /// The statement that makes room in the new database: `'DROP SCHEMA aura CASCADE;'`.
    pub clear: &'a str,
}
