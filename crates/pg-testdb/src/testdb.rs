//! What a test sees.

use std::{fmt, panic, sync::Arc, thread};

use anyhow::Context as _;
use pg_config::{ConnInfo, Session, shown};
use postgres::Client;

use crate::{
    error::Error,
    lease::{Finished, Lease},
    name::State,
    server::TestServer,
    session::in_turn,
    sweep,
    template::Content,
};

/// A database of one test's own.
///
/// It is given back when it is dropped, or by [`finish`](Self::finish), and kept for a day when the test panics. A test
/// that returns an `Err` does not panic: put [`run`](Self::run) around its body, or call [`keep`](Self::keep).
///
/// ```no_run,test_harness
/// #[test]
/// fn a_note_is_kept() -> Result<(), Box<dyn std::error::Error>> {
///     let db = pg_testdb::TestDb::new()?;
///     let mut client = db.client()?;
///     client.execute("INSERT INTO note (title) VALUES ($1)", &[&"Frame"])?;
///     let count: i64 = client.query_one("SELECT count(*) FROM note", &[])?.get(0);
///     assert_eq!(count, 1);
///     Ok(())
/// }
/// ```
pub struct TestDb {
    server: Arc<TestServer>,
    lease: Option<Lease>,
    connection: ConnInfo,
    /// Why nothing can be proved of it.
    unprovable: Option<String>,
}

impl TestDb {
    /// A database in which the app's migrations were run.
    ///
    /// The first call of a process finds the server, or starts one. The first call after a migration has changed runs
    /// the migrations, once for all processes. Each further call takes 1 to 2 ms. Where as many databases are in use as
    /// may be, it waits up to 5 minutes.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), pg_testdb::Error> {
    /// let db = pg_testdb::TestDb::new()?;
    /// println!("{} has all tables", db.name());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// No server was found, the migrations failed or do not verify, or too many databases are in use.
    pub fn new() -> Result<Self, Error> {
        Self::of(Content::Migrated)
    }

    /// A database with role, schema, privileges and search_path, and no tables: for tests of the migrations themselves.
    ///
    /// ```no_run
    /// # fn migrate(_: &mut pg_testdb::postgres::Client) {}
    /// # fn main() -> Result<(), pg_testdb::Error> {
    /// let db = pg_testdb::TestDb::empty()?;
    /// migrate(&mut db.client()?);
    /// # Ok(()) }
    /// ```
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

    /// The app's connection string: role, password, host, port, database. For any driver, and any program.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let db = pg_testdb::TestDb::new()?;
    /// let status = std::process::Command::new("psql").arg(db.url()).args(["-c", "\\dt"]).status()?;
    /// assert!(status.success());
    /// # Ok(()) }
    /// ```
    pub fn url(&self) -> String {
        self.connection.url()
    }

    /// A connection as the app's role, by the blocking driver [`postgres`].
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let db = pg_testdb::TestDb::new()?;
    /// let mut client: pg_testdb::postgres::Client = db.client()?;
    /// client.batch_execute("INSERT INTO note (title) VALUES ('Frame')")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The server refuses the app's login.
    ///
    /// # Panics
    /// In an async function, as every call of that driver does there: use [`url`](Self::url) with an async driver.
    pub fn client(&self) -> Result<Client, Error> {
        let wait = self.server.context.wait;
        let session = in_turn(wait, || pg_config::connect_within(&self.connection, wait)).map_err(|error| {
            // Of a server that gives no session the error says what to do itself.
            let is_refusal = error.is_refusal();
            let error = anyhow::Error::from(error);
            if is_refusal { error.context("help: cargo xtask db-setup says what is wrong") } else { error }
        });
        Ok(session.map(Session::into_client)?)
    }

    /// A connection as the administrator, who may do anything: so nothing can be proved of the database, and it is
    /// dropped afterwards.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut db = pg_testdb::TestDb::new()?;
    /// db.administrator()?.batch_execute("CREATE EXTENSION pg_stat_statements SCHEMA public")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The server refuses the administrator's login.
    ///
    /// # Panics
    /// In an async function, as [`client`](Self::client).
    pub fn administrator(&mut self) -> Result<Client, Error> {
        self.unprovable = Some("an administrator was in it".to_owned());
        let session = self.server.connect(&self.connection.database);
        Ok(session.map(Session::into_client).map_err(anyhow::Error::from)?)
    }

    /// Runs a test's body, and keeps the database where that returns an error.
    ///
    /// ```no_run,test_harness
    /// #[test]
    /// fn a_note_is_kept() -> Result<(), Box<dyn std::error::Error>> {
    ///     pg_testdb::TestDb::new()?.run(|db| {
    ///         db.client()?.execute("INSERT INTO note (title) VALUES ('Frame')", &[])?;
    ///         Ok(())
    ///     })
    /// }
    /// ```
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

    /// Gives it back, and says what became of it. Dropping it does the same, and says nothing.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), pg_testdb::Error> {
    /// use pg_testdb::{Finished, TestDb};
    ///
    /// let db = TestDb::new()?;
    /// // Where a suite is slow, this says which of its tests cost a new database.
    /// if let Finished::Dropped(reason) = db.finish()? {
    ///     println!("dropped: {reason}");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The server's.
    pub fn finish(mut self) -> Result<Finished, Error> {
        let lease = self.lease.take().context("it was given back before")?;
        let unprovable = self.unprovable.take();
        Ok(off_runtime(|| lease.give_back(&self.server, unprovable))?)
    }

    /// Keeps it for a day, as where the test panics, and prints how to look at it.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let db = pg_testdb::TestDb::new()?;
    /// match db.client()?.execute("DELETE FROM note", &[]) {
    ///     Ok(_) => Ok(()),
    ///     Err(error) => {
    ///         db.keep();
    ///         Err(error.into())
    ///     }
    /// }
    /// # }
    /// ```
    pub fn keep(mut self) {
        self.keep_it();
    }

    #[expect(clippy::print_stderr, reason = "the test's own output is where people look")]
    fn keep_it(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        let (name, url) = (self.name(), self.connection.masked_url());
        let words = match off_runtime(|| lease.keep(&self.server)) {
            Ok(()) => format!("the database is kept for a day: DB_NAME={name} cargo xtask db-psql ({url})"),
            Err(error) => format!("the database {name} could not be kept: {error:#}"),
        };
        eprintln!("{}", shown(&words, "\n"));
    }
}

/// The name; the connection holds a password.
impl fmt::Debug for TestDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDb").field("name", &self.name()).finish_non_exhaustive()
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

/// Runs what speaks to the server on a thread of its own: the driver has a runtime, and none may be started or
/// dropped within that of a test.
fn off_runtime<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| match scope.spawn(run).join() {
        Ok(value) => value,
        Err(panic) => panic::resume_unwind(panic),
    })
}
