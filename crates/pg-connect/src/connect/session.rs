//! A connection that is open.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use postgres::{Client, error::DbError};

use super::wire::{Deadline, End};
use crate::tls::Verified;

/// A connection, and what the server remarked on it since it was last asked.
///
/// Dropping it waits no longer than 3 s for the server.
pub struct Session {
    /// The driver's client.
    pub client: BoundedClient,
    /// Who may read along.
    pub encryption: Encryption,
    /// Since when there is a connection.
    pub opened: Instant,
    /// With whose rights it works.
    pub rights: Rights,
    /// Whose connection it is, in words: `role "aura_user" to database "aura_db" at localhost:5432`.
    pub whose: String,
    pub(super) notices: Arc<Mutex<Notices>>,
    pub(super) end: End,
    pub(super) deadline: Deadline,
}

impl Session {
    /// Asks the server something, and ends the connection where the answer has not come after `limit`: the other side
    /// may hold the connection open and say nothing.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # fn example(session: &mut pg_connect::Session) -> Result<(), postgres::Error> {
    /// session.ask(Duration::from_secs(5), |client| client.simple_query("SELECT 1"))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn ask<T>(&mut self, limit: Duration, question: impl FnOnce(&mut Client) -> T) -> T {
        self.deadline.set(Some(Instant::now() + limit));
        let answer = question(&mut self.client);
        self.deadline.set(None);
        answer
    }

    /// The driver's client alone, without any bound of ours.
    pub fn into_client(mut self) -> Client {
        self.client.client.take().expect("it is taken out by value")
    }

    /// The server's notices and warnings since the last call.
    pub fn take_notices(&mut self) -> Vec<DbError> {
        self.notices.lock().map(|mut notices| std::mem::take(&mut *notices).kept).unwrap_or_default()
    }
}

/// The driver's client, with a bound for its end: the driver waits for every answer that is still due, and one that it
/// could not read never comes.
pub struct BoundedClient {
    /// There until it is taken out.
    client: Option<Client>,
    deadline: Deadline,
}

/// How long the end of a session may take.
const CLOSING: Duration = Duration::from_secs(3);

impl BoundedClient {
    pub(super) fn of(client: Client, deadline: Deadline) -> Self {
        Self { client: Some(client), deadline }
    }
}

impl Deref for BoundedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client.as_ref().expect("it is taken out by value")
    }
}

impl DerefMut for BoundedClient {
    fn deref_mut(&mut self) -> &mut Client {
        self.client.as_mut().expect("it is taken out by value")
    }
}

impl Drop for BoundedClient {
    fn drop(&mut self) {
        if self.client.is_some() {
            self.deadline.set(Some(Instant::now() + CLOSING));
        }
    }
}

/// With whose rights a session works: it decides what may be run by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// The app's own. It may read what the app owns, and runs what that holds of code.
    App,
    /// An administrator's, of [`connect_administrator`](crate::connect_administrator): it reads the catalog and runs
    /// DDL, and nothing that the app owns.
    Administrator,
}

/// Whether a connection is encrypted; a proxy in between may speak to the server otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// A Unix socket: it does not leave the machine.
    Socket,
    /// By TLS of this version.
    Tls(&'static str, Verified),
    /// It is in the clear, and why.
    Clear(String),
}

impl fmt::Display for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket => f.write_str("none needed, a socket of this machine"),
            Self::Tls(version, Verified::Nothing) => {
                write!(f, "{version}; with whom was not verified (sslmode=verify-full does)")
            }
            Self::Tls(version, Verified::Issuer) => write!(f, "{version}; the certificate's issuer was verified"),
            Self::Tls(version, Verified::Host) => write!(f, "{version}; the certificate and its name were verified"),
            Self::Clear(why) => write!(f, "none: {why}"),
        }
    }
}

/// The session by which a server was seen to answer, kept for the first user that needs one in its database: a login
/// costs the server a process.
#[derive(Clone, Default)]
pub struct IdleSession(Arc<Mutex<Option<Session>>>);

impl IdleSession {
    /// Keeps it.
    pub fn of(session: Session) -> Self {
        Self(Arc::new(Mutex::new(Some(session))))
    }

    /// Gives it, once; not one that has ended.
    pub fn take(&self) -> Option<Session> {
        let session = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        session.filter(|session| !session.client.is_closed())
    }
}

impl fmt::Debug for IdleSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdleSession")
    }
}

/// A session whose notices nobody takes keeps no more of them, in bytes.
const KEPT_NOTICES: usize = 8 << 20;

/// What nobody has asked for yet, of the server's notices: the first megabytes of it.
#[derive(Default)]
pub(super) struct Notices {
    kept: Vec<DbError>,
    size: usize,
}

impl Notices {
    pub(super) fn keep(&mut self, notice: DbError) {
        let texts = [Some(notice.message()), notice.detail(), notice.hint(), notice.where_()];
        self.size += size_of::<DbError>() + texts.into_iter().flatten().map(str::len).sum::<usize>();
        if self.size <= KEPT_NOTICES {
            self.kept.push(notice);
        }
    }
}
