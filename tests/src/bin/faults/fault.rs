//! What is broken.

use std::time::Duration;

use nix::sys::signal::Signal;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The connection ends; at every second message it is reset.
    Cut,
    /// The message comes late.
    Delay,
    /// Nothing more comes on the connection.
    Stall,
    /// The message has a type or a length that there is not.
    Garble,
    /// A signal to the tool alone, or to its process group.
    Signal(Signal, Whom),
    /// The server ends by this signal.
    End(Signal),
    /// The server ends and starts again.
    Restart,
    /// The connection's server process ends by this signal.
    Backend(Signal),
    /// A condition of the server.
    Condition(Condition),
}

/// Whom a signal reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    Tool,
    Group,
}

/// What is the matter with the server from before the command until after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing.
    Well,
    /// `default_transaction_read_only`.
    ReadOnly,
    /// It is a standby.
    Standby,
    /// No connection is free; with `true` there are some for superusers.
    NoConnection { has_reserved: bool },
    /// A setting of the whole server.
    Setting(String, String),
    /// A session holds ACCESS EXCLUSIVE on some tables; for so long, or until the command has ended.
    Lock(Locked, Option<Duration>),
    /// A prepared transaction.
    Prepared,
    /// The disk is full but for a little.
    DiskFull,
}

/// What is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locked {
    /// Every table of the app's schema.
    Tables,
    /// A catalog that every command reads.
    Catalog,
    /// A catalog without which no session begins.
    Login,
}

impl Act {
    /// What `act` says in the file of scenarios.
    pub(crate) fn parse(text: &str) -> Self {
        let signal = |name: &str| format!("SIG{name}").parse().unwrap();
        match *text.split(' ').collect::<Vec<_>>() {
            ["cut"] => Self::Cut,
            ["delay"] => Self::Delay,
            ["stall"] => Self::Stall,
            ["garble"] => Self::Garble,
            ["signal", name, "tool"] => Self::Signal(signal(name), Whom::Tool),
            ["signal", name, "group"] => Self::Signal(signal(name), Whom::Group),
            ["stop", "fast"] => Self::End(Signal::SIGINT),
            ["stop", "immediate"] => Self::End(Signal::SIGQUIT),
            ["kill", "postmaster"] => Self::End(Signal::SIGKILL),
            ["restart"] => Self::Restart,
            ["kill", "backend"] => Self::Backend(Signal::SIGKILL),
            ["terminate", "backend"] => Self::Backend(Signal::SIGTERM),
            ["nothing"] => Self::Condition(Condition::Well),
            ["read-only"] => Self::Condition(Condition::ReadOnly),
            ["standby"] => Self::Condition(Condition::Standby),
            ["connections", "all"] => Self::Condition(Condition::NoConnection { has_reserved: false }),
            ["connections", "ordinary"] => Self::Condition(Condition::NoConnection { has_reserved: true }),
            ["setting", name, value] => Self::Condition(Condition::Setting(name.to_owned(), value.to_owned())),
            ["lock", "tables"] => Self::Condition(Condition::Lock(Locked::Tables, None)),
            ["lock", "logins"] => Self::Condition(Condition::Lock(Locked::Login, None)),
            ["lock", "catalog"] => Self::Condition(Condition::Lock(Locked::Catalog, None)),
            ["lock", locked @ ("tables" | "catalog"), "for", seconds, "s"] => {
                let locked = if locked == "tables" { Locked::Tables } else { Locked::Catalog };
                Self::Condition(Condition::Lock(locked, Some(Duration::from_secs(seconds.parse().unwrap()))))
            }
            ["prepared", "transaction"] => Self::Condition(Condition::Prepared),
            ["disk", "full"] => Self::Condition(Condition::DiskFull),
            _ => panic!("act = {text:?} is not known"),
        }
    }
}
