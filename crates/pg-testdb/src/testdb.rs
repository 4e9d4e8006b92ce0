//! What a test sees.

use std::{sync::Arc, thread};

use anyhow::Context as _;
use pg_config::{ConnInfo, Session};
use postgres::Client;

use crate::{
    error::{Error, shown},
    lease::{Finished, Lease},
    name::State,
    server::TestServer,
    session::{in_turn, off_runtime},
    sweep,
    template::Content,
};

/// A database of one test's own.
///
/// Given back when it is dropped, or by [`finish`](Self::finish); kept for a day when the test panics. A test that
/// returns an `Err` does not panic: [`keep`](Self::keep) is for it, or [`run`](Self::run) around its body.
pub struct TestDb {
    server: Arc<TestServer>,
    lease: Option<Lease>,
    connection: ConnInfo,
    unprovable: Option<String>,
}

impl TestDb {
    /// A database in which the app's migrations were run.
    ///
    /// # Errors
    /// No server could be had, the migrations failed or do not verify, or too many databases are in use.
    pub fn new() -> Result<Self, Error> {
        Self::of(Content::Migrated)
    }

    /// A database with role, schema, privileges and path, and no tables: for tests of the migrations themselves.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn empty() -> Result<Self, Error> {
        Self::of(Content::Empty)
    }

    fn of(content: Content) -> Result<Self, Error> {
        off_runtime(|| {
            let server = TestServer::of_process()?;
            if !server.is_for_one_test {
                sweep::begin(&server)?;
            }
            let lease = Lease::take(&server, content)?;
            if server.is_for_one_test && sweep::is_due(&lease.name) {
                sweep::begin(&server)?;
            }
            let connection = server.target.access.app.with_database(lease.name.in_state(State::Test).as_str());
            Ok(Self { server, lease: Some(lease), connection, unprovable: None })
        })
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.connection.database
    }

    /// The app's connection to it: role, password, host, port, database.
    pub fn url(&self) -> String {
        self.connection.url()
    }

    /// A connection as the app's role. The client is synchronous; in an async test hand [`url`](Self::url) to the
    /// driver of your choice.
    ///
    /// # Errors
    /// The server refuses the app's login.
    pub fn client(&self) -> Result<Client, Error> {
        let wait = self.server.context.wait;
        let session = in_turn(wait, || pg_config::connect_within(&self.connection, wait)).map_err(anyhow::Error::from);
        Ok(session.context("help: cargo xtask db-setup says what is wrong").map(Session::into_client)?)
    }

    /// A connection as administrator. Whoever has had one may have done anything: the database is dropped afterwards.
    ///
    /// # Errors
    /// The server refuses the administrator's login.
    pub fn administrator(&mut self) -> Result<Client, Error> {
        self.unprovable = Some("an administrator was in it".to_owned());
        let session = self.server.connect(&self.connection.database);
        Ok(session.map(Session::into_client).map_err(anyhow::Error::from)?)
    }

    /// Runs a test's body; keeps the database where it gives an error.
    ///
    /// # Errors
    /// The body's.
    pub fn run<T, E>(self, body: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        let outcome = body(&self);
        if outcome.is_err() {
            self.keep();
        }
        outcome
    }

    /// Gives it back, and says what became of it.
    ///
    /// # Errors
    /// The server's.
    pub fn finish(mut self) -> Result<Finished, Error> {
        let lease = self.lease.take().context("it was given back before")?;
        let unprovable = self.unprovable.take();
        Ok(off_runtime(|| lease.give_back(&self.server, unprovable))?)
    }

    /// Keeps it for a day, as where the test has panicked; says how to look at it.
    pub fn keep(mut self) {
        self.keep_it();
    }

    #[expect(clippy::print_stderr, reason = "the test's own output is where people look")]
    fn keep_it(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        let (name, url) = (self.name(), self.connection.masked_url());
        match off_runtime(|| lease.keep(&self.server)) {
            Ok(()) => eprintln!("the database is kept for a day: DB_NAME={name} cargo xtask db-psql ({url})"),
            Err(error) => eprintln!("{}", shown(&format!("the database {name} could not be kept: {error:#}"))),
        }
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep_it();
        } else if let Some(lease) = self.lease.take() {
            let unprovable = self.unprovable.take();
            // What cannot be given back is swept by the next process.
            let _ = off_runtime(|| lease.give_back(&self.server, unprovable));
        }
    }
}
