//! A server, the rung of the ladder that gave it, and why the others did not.

use std::fmt;

use pg_config::{Address, ConnInfo, Host, IdleSession, in_one_line};
use thiserror::Error;

use crate::{Container, Error, Local, Throwaway, container, local, login::LoggedIn};

/// A server: named, or running and ours.
#[derive(Clone, Debug)]
pub struct Server {
    /// The rung that gave it.
    pub rung: Rung,
    /// Where it listens.
    pub host: Host,
    /// On which port.
    pub port: u16,
    /// The superuser's connection to the database `postgres`; only on a server that we started.
    pub superuser: Option<ConnInfo>,
    /// The superuser's, where it has seen the server answer.
    pub session: IdleSession,
    /// Whether this very call started it.
    pub started_now: bool,
    /// Why this one, in one line.
    pub reason: String,
    /// The rungs above it.
    pub skipped: Vec<Skipped>,
    /// Where it lives, if it is a private cluster.
    pub local: Option<Local>,
    /// Where it lives, if it is in a container.
    pub container: Option<Container>,
}

/// A rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// A server that is named. Nothing has connected to it yet.
    Env,
    /// A container of this workspace.
    Container,
    /// A private cluster of this workspace.
    Local,
    /// The system's package manager. A server that it makes possible is one of [`Local`](Self::Local).
    Install,
}

/// Why a rung gave no server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The rung.
    pub rung: Rung,
    /// What was in the way: a sentence, and below it what an error says.
    pub reason: String,
    /// What would make it work.
    pub remedy: Option<String>,
}

/// No rung gave a server. `Display` has a line for each, with what would make it work.
#[derive(Debug, Error)]
#[error("no PostgreSQL server found{}", lines(.skipped))]
pub struct NoServer {
    /// Every rung that was looked at.
    pub skipped: Vec<Skipped>,
    /// What went wrong on the last rung, where it was more than that there is nothing; its text is the
    /// reason there too.
    pub error: Option<Box<Error>>,
}

impl Server {
    /// One that is named.
    pub(crate) fn named(address: Address) -> Self {
        let reason = "named by the configuration".to_owned();
        Self::at(Rung::Env, address, reason)
    }

    /// That of a cluster.
    pub(crate) fn local(found: local::Found) -> Self {
        let local = Local::of(&found.cluster, &found.running);
        Self { local: Some(local), ..Self::ours(Rung::Local, found.running.login, found.started_now, found.reason) }
    }

    /// That of a container.
    pub(crate) fn in_container(found: container::Found) -> Self {
        let container = found.container();
        Self { container: Some(container), ..Self::ours(Rung::Container, found.login, found.started_now, found.reason) }
    }

    fn ours(rung: Rung, login: LoggedIn, started_now: bool, reason: String) -> Self {
        let LoggedIn { superuser, session, .. } = login;
        let address = Address { host: superuser.host.clone(), port: superuser.port };
        Self { superuser: Some(superuser), session, started_now, ..Self::at(rung, address, reason) }
    }

    /// That of a cluster which goes with its value.
    pub(crate) fn throwaway(server: &Throwaway, reason: String) -> Self {
        let superuser = server.superuser.clone();
        let address = Address { host: superuser.host.clone(), port: superuser.port };
        Self {
            superuser: Some(superuser),
            started_now: true,
            local: Some(server.local.clone()),
            ..Self::at(Rung::Local, address, reason)
        }
    }

    fn at(rung: Rung, Address { host, port }: Address, reason: String) -> Self {
        Self {
            rung,
            host,
            port,
            superuser: None,
            session: IdleSession::default(),
            started_now: false,
            reason,
            skipped: Vec::new(),
            local: None,
            container: None,
        }
    }
}

impl Skipped {
    pub(crate) fn new(rung: Rung, reason: impl Into<String>) -> Self {
        Self { rung, reason: reason.into(), remedy: None }
    }

    /// The same with what would make it work.
    pub(crate) fn unless(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

impl NoServer {
    /// A rung failed: no other is tried.
    pub(crate) fn because(mut skipped: Vec<Skipped>, rung: Rung, error: Error) -> Self {
        skipped.push(Skipped::new(rung, error.to_string()));
        Self { skipped, error: Some(Box::new(error)) }
    }
}

fn lines(skipped: &[Skipped]) -> String {
    let line = |Skipped { rung, reason, remedy }: &Skipped| {
        let remedy = remedy
            .as_ref()
            .map(|remedy| format!("\n    help: {}", remedy.replace("\n  ", "\n    ")))
            .unwrap_or_default();
        // What its error says below the sentence stays below.
        format!("\n  {rung}: {reason}{remedy}", reason = reason.replace("\n  ", "\n    "))
    };
    skipped.iter().map(line).collect()
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rung, in_one_line(&self.reason))
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Env => "env",
            Self::Container => "container",
            Self::Local => "local",
            Self::Install => "install",
        })
    }
}
