//! What a project is: the few words in which one differs from the next.

use std::path::PathBuf;

/// A project whose tables live in a schema of their own. Its values are the defaults of the configuration.
#[derive(Clone, Debug)]
pub struct Project {
    /// A short name, for directories and messages: `aura`.
    pub name: &'static str,
    /// The workspace's root: `.env` is read here, the migrate command runs here.
    pub root: PathBuf,
    /// Default of `DB_NAME`.
    pub database: &'static str,
    /// Default of `DB_USER`.
    pub role: &'static str,
    /// Default of `DB_SCHEMA`.
    pub schema: &'static str,
    /// Default of `MIGRATE_COMMAND`.
    pub migrate_command: &'static str,
    /// Default of `MIGRATE_INPUTS` beside the default command.
    pub migrate_inputs: &'static str,
    /// What makes the default command quick to run: it takes long, needs no database, and so is run
    /// before the lock is taken.
    pub migrate_build: Option<&'static str>,
    /// The program that speaks to a container engine, whose `main` is `pg_container::main`: a package of the
    /// workspace, which is built when it is needed, or the path of a program.
    pub container_helper: &'static str,
}
