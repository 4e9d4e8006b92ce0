//! A server that is none of ours: somebody's PostgreSQL that was there before.

use std::{
    env,
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use pg_config::{ConnInfo, Durability, Password, ServerChoice};
use pg_server::{
    Binaries, Containers, Dump, Ephemeral, Local, Mode, Request, Template, Throwaway, template, throwaway,
};

use crate::{
    Postmaster,
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
    Container(Container),
}

/// A container, which ends with the value.
struct Container {
    place: Ephemeral,
    superuser: ConnInfo,
    major: u32,
    directory: PathBuf,
}

/// The newest stable major version. The plain run is on it where it is there.
const NEWEST: u32 = 18;

/// The major versions that tests ask for, and the Debian release that has each. The last one is a release candidate:
/// only `TESTS_SERVER=local:19` asks for it.
const RELEASES: [(u32, &str); 5] =
    [(13, "bullseye"), (15, "bookworm"), (17, "trixie"), (NEWEST, "forky"), (19, "experimental")];

/// Where `.ci/postgresql` puts them. It outlives a reboot and serves every clone; the user whom servers run as may
/// pass, which a clone in `/root` does not let; and programs may be run there, which `/dev/shm` may forbid.
const FETCHED: &str = "/var/tmp/aura-tests-postgresql";

/// How long a server may take to start on a busy machine.
pub(crate) const WAIT: Duration = Duration::from_secs(60);

impl Cluster {
    /// Starts a fresh server: of the newest PostgreSQL that is there, or on the rung that `TESTS_SERVER` names.
    pub fn start() -> Self {
        match Rung::named() {
            Rung::Local(_) => Self::run(programs(), &[]),
            Rung::Container(major) => Self::in_container(major),
        }
    }

    /// Starts one with settings of its own: `&[("log_statement", "all")]`. Its files are on this machine, whatever
    /// the rung.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::run(programs(), settings)
    }

    /// Starts a fresh server of another major version: 13, 15, 17 or 18. One that is not there is skipped.
    pub fn of(major: u32) -> Option<Self> {
        programs_of(major).map(|binaries| Self::run(&binaries, &[]))
    }

    /// Where the programs of a major version are. One that is not there is skipped.
    pub fn programs_of(major: u32) -> Option<PathBuf> {
        programs_of(major).map(|binaries| binaries.directory)
    }

    fn run(binaries: &Binaries, settings: &[(&str, &str)]) -> Self {
        let template = template(&scratch("templates"), binaries, WAIT, &mut |_| {}).unwrap();
        Self::copy(&template, binaries, settings)
    }

    /// Starts a server on a copy of a template.
    pub(crate) fn copy(template: &Template, binaries: &Binaries, settings: &[(&str, &str)]) -> Self {
        Self::copy_to(&unique("cluster"), template, binaries, settings)
    }

    /// The same in a directory that is not there yet.
    pub(crate) fn copy_to(
        directory: &Path,
        template: &Template,
        binaries: &Binaries,
        settings: &[(&str, &str)],
    ) -> Self {
        Self { server: Running::Local(throwaway(template, binaries, directory, settings, WAIT, &mut |_| {}).unwrap()) }
    }

    /// Stops the server and keeps its data. Its files are on this machine.
    pub(crate) fn into_template(self) -> Template {
        match self.server {
            Running::Local(server) => server.into_template(WAIT).unwrap(),
            Running::Container(_) => panic!("the data of a container are not on this machine"),
        }
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
                image_is_default: false,
                engine: &engine,
                helper: &|_| Ok(helper.clone()),
            },
            dump: Dump { database: "", arguments: "", clear: "" },
            wait,
        };
        let place = Ephemeral::claim(&data_dir, wait).unwrap();
        let server = place.start(&request, &mut |_| {}).unwrap();
        let superuser = server.superuser.unwrap();
        Self { server: Running::Container(Container { place, superuser, major, directory: unique("container") }) }
    }

    /// The superuser's connection to the database `postgres`.
    pub fn superuser(&self) -> ConnInfo {
        match &self.server {
            Running::Local(server) => server.superuser.clone(),
            Running::Container(container) => container.superuser.clone(),
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
            Running::Container(container) => programs_of(container.major).unwrap().directory,
        }
    }

    /// A directory of the test's own, which goes with the server.
    pub fn directory(&self, name: &str) -> PathBuf {
        let path = match &self.server {
            Running::Local(server) => server.local.data.parent().unwrap().join(name),
            Running::Container(container) => container.directory.join(name),
        };
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// The process id of the postmaster of a server whose files are on this machine.
    pub fn pid(&self) -> u32 {
        self.here().pid
    }

    /// Its postmaster, where its files are on this machine.
    pub fn postmaster(&self) -> Postmaster {
        Postmaster::of(self.pid(), self.here().data.clone())
    }

    /// The log, as text, of a server whose files are on this machine.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.here().log).unwrap()
    }

    fn here(&self) -> &Local {
        match &self.server {
            Running::Local(server) => &server.local,
            Running::Container(_) => panic!("a test that looks at files starts its server by `start_with`"),
        }
    }

    /// A role's URL on this server.
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        url(self.superuser(), role, password, database)
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

impl Drop for Container {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
        self.place.end().unwrap();
    }
}

/// The programs of the version that this run is on: those that `TESTS_SERVER` names, or the newest.
pub(crate) fn programs() -> &'static Binaries {
    static PROGRAMS: OnceLock<Binaries> = OnceLock::new();
    PROGRAMS.get_or_init(|| match Rung::named() {
        Rung::Local(None) => newest().clone(),
        Rung::Local(Some(major)) | Rung::Container(major) => {
            programs_of(major).unwrap_or_else(|| panic!("no PostgreSQL {major}"))
        }
    })
}

/// The newest programs that are there, installed or fetched; a release candidate is none of them.
fn newest() -> &'static Binaries {
    static NEWEST: OnceLock<Binaries> = OnceLock::new();
    NEWEST.get_or_init(look_for_newest)
}

fn look_for_newest() -> Binaries {
    let (installed, reasons) = Binaries::installed(inherited_path().as_deref());
    let stable = installed.iter().find(|found| found.version.major <= NEWEST).cloned();
    let fetched = RELEASES.iter().rev().find_map(|(major, _)| (*major <= NEWEST).then(|| fetched(*major)).flatten());
    let is_newer = |fetched: &Binaries| stable.as_ref().is_none_or(|found| found.version.major < fetched.version.major);
    fetched
        .filter(is_newer)
        .or(stable)
        .or_else(|| installed.into_iter().next())
        .unwrap_or_else(|| panic!("no PostgreSQL binaries: {reasons:?}"))
}

/// The programs of a major version: installed, or fetched by `.ci/postgresql`. None there is skipped.
pub(crate) fn programs_of(major: u32) -> Option<Binaries> {
    let (installed, _) = Binaries::installed(inherited_path().as_deref());
    let installed = installed.into_iter().find(|found| found.version.major == major);
    let found = installed.or_else(|| fetched(major));
    if found.is_none() {
        let release = RELEASES.iter().find(|(other, _)| *other == major).map_or("RELEASE", |(_, release)| release);
        skipped(&format!("no PostgreSQL {major}; get it by `.ci/postgresql {release} {FETCHED}/{major}`"));
    }
    found
}

/// Those that `.ci/postgresql` has fetched.
fn fetched(major: u32) -> Option<Binaries> {
    let directory = Path::new(FETCHED).join(major.to_string());
    fs::symlink_metadata(&directory).ok()?;
    for directory in [Path::new(FETCHED), &directory] {
        check_own(directory).unwrap_or_else(|reason| panic!("{reason}"));
    }
    Some(Binaries::named(&directory.join(format!("usr/lib/postgresql/{major}/bin"))).unwrap())
}

/// A role's URL on the server of a superuser.
pub(crate) fn url(superuser: ConnInfo, role: &str, password: &str, database: &str) -> String {
    let password = Some(Password::new(password));
    ConnInfo { user: role.to_owned(), password, database: database.to_owned(), ..superuser }.url()
}

/// Whether a program that runs with [`search_path`] takes this run's version without being told.
pub(crate) fn is_found() -> bool {
    static IS_FOUND: OnceLock<bool> = OnceLock::new();
    *IS_FOUND.get_or_init(|| {
        let (installed, _) = Binaries::installed(Some(&search_path()));
        installed.first().is_some_and(|found| found.directory == programs().directory)
    })
}

/// The `PATH` of what tests run, where the newest programs come first: an older psql misreads a newer server, and an
/// older pg_dump refuses it.
pub(crate) fn search_path() -> OsString {
    let rest = inherited_path().unwrap_or_default();
    let first = [programs(), newest()].into_iter().max_by_key(|found| found.version.major).into_iter();
    env::join_paths(first.map(|found| found.directory.clone()).chain(env::split_paths(&rest))).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the tests look for binaries where the program would")]
fn inherited_path() -> Option<OsString> {
    env::var_os("PATH")
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
pub(crate) fn scratch(name: &str) -> PathBuf {
    own(pg_server::scratch().join(format!("aura-tests-{name}")))
}

/// A directory at a place where anybody may make one: made, or one that is there already, if it is ours.
pub(crate) fn own(directory: PathBuf) -> PathBuf {
    if fs::create_dir(&directory).is_ok() {
        fs::set_permissions(&directory, Permissions::from_mode(0o711)).unwrap();
    }
    check_own(&directory).unwrap_or_else(|reason| panic!("{reason}"));
    directory
}

/// Whether a directory is ours or root's, and no other user can write it; `.ci/postgresql` has the same rule.
pub fn check_own(directory: &Path) -> Result<(), String> {
    let place = directory.display();
    let found = fs::symlink_metadata(directory).map_err(|error| format!("cannot look at {place}: {error}"))?;
    let own = fs::metadata("/proc/self").unwrap().uid();
    if found.is_dir() && [0, own].contains(&found.uid()) && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    let kind = match found.file_type() {
        kind if kind.is_dir() => "directory",
        kind if kind.is_symlink() => "symbolic link",
        _ => "regular or special file",
    };
    let (user, mode) = (found.uid(), found.mode() & 0o7777);
    Err(format!(
        "{place} is a {kind} of the user {user}, mode {mode:o}. The tests use a directory of their own user or of root, \
         which no other user can write [delete it and run this again]"
    ))
}

/// A directory that nobody has used before.
pub(crate) fn unique(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    scratch("run").join(format!("{}-{number}-{name}", std::process::id()))
}
