//! What a project expects of its PostgreSQL database, and which server it names: names, passwords,
//! connection strings, TLS, `.env`. Everything else takes the values that are made here.

mod config;
mod connect;
mod conninfo;
mod environment;
mod identifier;
mod inputs;
mod keys;
mod password;
mod project;
mod tls;

pub use config::{Address, Config, ConfigError, Migrations, ServerChoice, SessionSettings, Sourced};
pub use connect::{ConnectError, Session, connect, connect_within};
pub use conninfo::{ConnInfo, ConnString, Host, InvalidConnString, Options, SslMode, mask_urls};
pub use environment::{EnvFile, Environment, EnvironmentError, Source};
pub use identifier::{Identifier, InvalidIdentifier, Literal};
pub use inputs::{Digest, InputsError};
pub use keys::{KEYS, Key};
pub use password::Password;
pub use project::Project;
