//! What a project expects of its PostgreSQL database, and which server it names: names, `.env`, the
//! configuration. Everything else takes the values that are made here.

mod config;
mod digest;
mod environment;
mod identifier;
mod inputs;
mod keys;
mod misspelled;
mod project;

pub use config::{Config, ConfigError, Durability, Migrations, ServerChoice, Sourced};
// A glob, as the inputs of the migrations are.
pub use digest::{fitted, random_id, short_digest};
pub use environment::{EnvFile, Environment, EnvironmentError, PASSED_THROUGH, Source};
pub use glob::Pattern;
pub use identifier::{Identifier, InvalidIdentifier, Literal};
pub use inputs::{Digest, InputsError};
pub use keys::{KEYS, Key};
// The types of a configuration's values.
pub use pg_connect::{
    Address, Candidates, ConnInfo, ConnectError, Encryption, Host, IdleSession, InvalidConnString, Options, Parameters,
    Password, Rights, Session, SslMode, Surroundings, connect, connect_administrator, connect_within,
    further_lines_quoted, in_one_line, is_hidden, is_obeyed, shown, sqlstate_help,
};
pub use project::{Project, ProjectError};
