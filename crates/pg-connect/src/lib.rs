//! From a connection string to a session, as libpq goes: its grammar, its environment and files, its TLS.
//!
//! Three steps, each usable alone: [`Parameters`] is what a string says; [`ConnInfo`] is all that one
//! connection needs; [`connect()`] opens it. [`Surroundings::complete`] does what lies between the first two
//! as libpq does, for a program that wants libpq's behaviour and nothing else.

mod administrator;
mod candidates;
mod connect;
mod conninfo;
mod hidden;
mod host;
mod keepalives;
mod options;
mod parameters;
mod passfile;
mod password;
mod require_auth;
mod sqlstate;
mod sslmode;
mod surroundings;
mod target_session_attrs;
mod tls;

pub use administrator::connect_administrator;
pub use candidates::Candidates;
pub use connect::{
    BoundedClient, ConnectError, Encryption, IdleSession, Rights, Session, connect, connect_within,
    further_lines_quoted, in_one_line,
};
pub use conninfo::ConnInfo;
pub use hidden::{WORKFLOW_COMMAND, is_hidden, is_obeyed, shown};
pub use host::{Address, Host};
pub use options::Options;
pub use parameters::{InvalidConnString, Parameters, ServiceError};
pub use passfile::{Passfile, PassfileError};
pub use password::Password;
pub use sqlstate::sqlstate_help;
pub use sslmode::SslMode;
pub use surroundings::{Surroundings, home};
pub use tls::Verified;
