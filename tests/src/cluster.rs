//! A server that is none of ours: somebody's PostgreSQL that was there before.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use pg_config::{ConnInfo, Durability, Password, ServerChoice};
use pg_server::{Binaries, Containers, Ephemeral, Local, Mode, Request, Throwaway, template, throwaway};

use crate::{
    peers::container_helper,
    rung::{self, Rung},
    skipped,
};

/// A running server of a test's own; it ends with the value.
pub struct Cluster {
    server: Running,
}

enum Running {
    Local(Throwaway),
    Container { place: Ephemeral, superuser: ConnInfo, major: u32, directory: PathBuf },
}

/// The major versions beside the installed one, and the Debian release that has each: the oldest that we support,
/// and one in which CREATEROLE is no longer the right to everything.
const OTHERS: [(u32, &str); 2] = [(13, "bullseye"), (17, "trixie")];

/// Where `.ci/postgresql` puts them. It outlives a reboot and serves every clone; the user whom servers run as may
/// pass, which a clone in `/root` does not let; and programs may be run there, which `/dev/shm` may forbid.
const OTHERS_DIR: &str = "/var/tmp/aura-tests-postgresql";

impl Cluster {
    /// Starts a fresh server: of the newest installed PostgreSQL, or on the rung that `TESTS_SERVER` names.
    pub fn start() -> Self {
        match Rung::named() {
            Rung::Local(None) => Self::run(&newest(), &[]),
            Rung::Local(Some(major)) => Self::of(major).unwrap_or_else(|| panic!("no PostgreSQL {major}")),
            Rung::Container(major) => Self::in_container(major),
        }
    }

    /// Starts one with settings of its own: `&[("log_statement", "all")]`. Its files are on this machine, whatever
    /// the rung.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        match Rung::named() {
            Rung::Local(None) => Self::run(&newest(), settings),
            Rung::Local(Some(major)) | Rung::Container(major) => {
                Self::run(&programs_of(major).unwrap_or_else(|| panic!("no PostgreSQL {major}")), settings)
            }
        }
    }

    /// Starts a fresh server of another major version, 13 or 17. One that is not there is skipped.
    pub fn of(major: u32) -> Option<Self> {
        programs_of(major).map(|binaries| Self::run(&binaries, &[]))
    }

    fn run(binaries: &Binaries, settings: &[(&str, &str)]) -> Self {
        let wait = Duration::from_secs(60);
        let mut say = |_: &str| {};
        let template = template(&scratch("templates"), binaries, wait, &mut say).unwrap();
        let directory = unique("cluster");
        Self { server: Running::Local(throwaway(&template, binaries, &directory, settings, wait, &mut say).unwrap()) }
    }

    /// By the container rung itself, as `--ephemeral` has it.
    fn in_container(major: u32) -> Self {
        let wait = Duration::from_secs(120);
        let data_dir = scratch("containers");
        let image = rung::image(major).unwrap_or_else(|| panic!("no image of PostgreSQL {major}"));
        let helper = container_helper();
        let engine = rung::engine();
        let request = Request {
            choice: ServerChoice::Container,
            mode: Mode::Start,
            named: None,
            data_dir: &data_dir,
            bin_dir: None,
            path: None,
            durability: Durability::Development,
            containers: Containers {
                project: "aura-tests",
                workspace: Path::new("/nowhere"),
                image: &image,
                engine: &engine,
                helper: &|_| Ok(helper.clone()),
            },
            wait,
        };
        let place = Ephemeral::claim(&data_dir, wait).unwrap();
        let server = place.start(&request, &mut |_| {}).unwrap();
        let superuser = server.superuser.unwrap();
        Self { server: Running::Container { place, superuser, major, directory: unique("container") } }
    }

    /// The superuser's connection to the database `postgres`.
    pub fn superuser(&self) -> ConnInfo {
        match &self.server {
            Running::Local(server) => server.superuser.clone(),
            Running::Container { superuser, .. } => superuser.clone(),
        }
    }

    /// The superuser's URL, for `ADMIN_DATABASE_URL`.
    pub fn admin_url(&self) -> String {
        self.superuser().url()
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.superuser().port
    }

    /// Where the programs of its version are on this machine; `psql` as it is, without what a distribution puts
    /// around it.
    pub fn binaries(&self) -> PathBuf {
        match &self.server {
            Running::Local(server) => server.local.bin_dir.clone(),
            Running::Container { major, .. } => programs_of(*major).unwrap().directory,
        }
    }

    /// A directory of the test's own, which goes with the server.
    pub fn directory(&self, name: &str) -> PathBuf {
        let path = match &self.server {
            Running::Local(server) => server.local.data.parent().unwrap().join(name),
            Running::Container { directory, .. } => directory.join(name),
        };
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// The process id of the postmaster of a server whose files are on this machine.
    pub fn pid(&self) -> u32 {
        self.here().pid
    }

    /// The log, as text, of a server whose files are on this machine.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.here().log).unwrap()
    }

    fn here(&self) -> &Local {
        match &self.server {
            Running::Local(server) => &server.local,
            Running::Container { .. } => panic!("a test that looks at files starts its server by `start_with`"),
        }
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

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Running::Container { place, directory, .. } = &self.server {
            let _ = fs::remove_dir_all(directory);
            place.end().unwrap();
        }
    }
}

/// The major version of the plain run.
pub(crate) fn plain_major() -> u32 {
    newest().version.major
}

fn newest() -> Binaries {
    let (binaries, reasons) = Binaries::installed(search_path().as_deref());
    binaries.into_iter().next().unwrap_or_else(|| panic!("no PostgreSQL binaries: {reasons:?}"))
}

/// The programs of a major version: installed, or fetched by `.ci/postgresql`. None there is skipped.
pub(crate) fn programs_of(major: u32) -> Option<Binaries> {
    let (installed, _) = Binaries::installed(search_path().as_deref());
    if let Some(binaries) = installed.into_iter().find(|found| found.version.major == major) {
        return Some(binaries);
    }
    let release = OTHERS.into_iter().find(|(other, _)| *other == major).map_or("RELEASE", |(_, release)| release);
    let directory = Path::new(OTHERS_DIR).join(major.to_string());
    let Ok(found) = fs::metadata(&directory) else {
        skipped(&format!("no PostgreSQL {major}; get it by `.ci/postgresql {release} {}`", directory.display()));
        return None;
    };
    // Anybody may make a directory there.
    let own = fs::metadata("/proc/self").unwrap().uid();
    assert!([0, own].contains(&found.uid()), "{} is another user's", directory.display());
    Some(Binaries::named(&directory.join(format!("usr/lib/postgresql/{major}/bin"))).unwrap())
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
