//! A server that is none of ours: somebody's PostgreSQL that was there before.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use pg_config::{ConnInfo, Password};
use pg_server::{Binaries, Throwaway, template, throwaway};

use crate::skipped;

/// A running server of a test's own; it ends with the value.
pub struct Cluster {
    server: Throwaway,
}

/// The major versions beside the installed one, and the Debian release that has each: the oldest that we support,
/// and one in which CREATEROLE is no longer the right to everything.
const OTHERS: [(u32, &str); 2] = [(13, "bullseye"), (17, "trixie")];

/// Where `.ci/postgresql` puts them. It outlives a reboot and serves every clone; the user whom servers run as may
/// pass, which a clone in `/root` does not let; and programs may be run there, which `/dev/shm` may forbid.
const OTHERS_DIR: &str = "/var/tmp/aura-tests-postgresql";

impl Cluster {
    /// Starts a fresh server of the newest installed PostgreSQL.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with settings of its own: `&[("log_statement", "all")]`.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        let (binaries, reasons) = Binaries::installed(search_path().as_deref());
        let binaries = binaries.into_iter().next().unwrap_or_else(|| panic!("no PostgreSQL binaries: {reasons:?}"));
        Self::run(&binaries, settings)
    }

    /// Starts a fresh server of another major version, 13 or 17. One that is not there is skipped.
    pub fn of(major: u32) -> Option<Self> {
        let (_, release) = OTHERS.into_iter().find(|(other, _)| *other == major).unwrap();
        let directory = Path::new(OTHERS_DIR).join(major.to_string());
        let Ok(found) = fs::metadata(&directory) else {
            skipped(&format!("no PostgreSQL {major}; get it by `.ci/postgresql {release} {}`", directory.display()));
            return None;
        };
        // Anybody may make a directory there.
        let own = fs::metadata("/proc/self").unwrap().uid();
        assert!([0, own].contains(&found.uid()), "{} is another user's", directory.display());
        let binaries = Binaries::named(&directory.join(format!("usr/lib/postgresql/{major}/bin"))).unwrap();
        Some(Self::run(&binaries, &[]))
    }

    fn run(binaries: &Binaries, settings: &[(&str, &str)]) -> Self {
        let wait = Duration::from_secs(60);
        let mut say = |_: &str| {};
        let template = template(&scratch("templates"), binaries, wait, &mut say).unwrap();
        let directory = unique("cluster");
        Self { server: throwaway(&template, binaries, &directory, settings, wait, &mut say).unwrap() }
    }

    /// The superuser's connection to the database `postgres`.
    pub fn superuser(&self) -> ConnInfo {
        self.server.superuser.clone()
    }

    /// The superuser's URL, for `ADMIN_DATABASE_URL`.
    pub fn admin_url(&self) -> String {
        self.server.superuser.url()
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.server.superuser.port
    }

    /// Where its programs are; `psql` as it is, without what a distribution puts around it.
    pub fn binaries(&self) -> PathBuf {
        self.server.local.bin_dir.clone()
    }

    /// A directory of the test's own, which goes with the server.
    pub fn directory(&self, name: &str) -> PathBuf {
        let path = self.server.local.data.parent().unwrap().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// The process id of the postmaster.
    pub fn pid(&self) -> u32 {
        self.server.local.pid
    }

    /// The server's log, as text.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.server.local.log).unwrap()
    }

    /// A role's URL on this server.
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        let superuser = self.superuser();
        ConnInfo {
            user: role.to_owned(),
            password: Some(Password::new(password)),
            database: database.to_owned(),
            ..superuser
        }
        .url()
    }

    /// Runs statements as the superuser.
    pub fn sql(&self, database: &str, statements: &str) {
        let mut session = pg_config::connect(&self.superuser().with_database(database)).unwrap();
        session.client.batch_execute(statements).unwrap_or_else(|error| panic!("{statements}: {error:#}"));
    }

    /// One value, as text, that the superuser reads.
    pub fn value(&self, database: &str, query: &str) -> String {
        value(&self.superuser().with_database(database), query)
    }
}

/// One value, as text, that a connection reads.
pub(crate) fn value(connection: &ConnInfo, query: &str) -> String {
    let mut session = pg_config::connect(connection).unwrap();
    let messages = session.client.simple_query(query).unwrap_or_else(|error| panic!("{query}: {error:#}"));
    messages
        .iter()
        .find_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        })
        .unwrap_or_default()
}

/// A directory that the tests share, which the server's unprivileged user can reach.
fn scratch(name: &str) -> PathBuf {
    pg_server::scratch().join(format!("aura-tests-{name}"))
}

/// A directory that nobody has used before.
pub(crate) fn unique(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    scratch("run").join(format!("{}-{number}-{name}", std::process::id()))
}

#[expect(clippy::disallowed_methods, reason = "the tests look for binaries where the program would")]
pub(crate) fn search_path() -> Option<std::ffi::OsString> {
    std::env::var_os("PATH")
}
