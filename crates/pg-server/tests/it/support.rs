//! A place for one test, requests, and looks from outside.

use std::{
    env,
    ffi::OsString,
    fmt::Display,
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        Arc, LazyLock, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use pg_config::{ConnInfo, Durability, ServerChoice};
use pg_server::{Binaries, ContainerSettings, Dump, EngineSettings, Error, Mode, NoServer, Request, Server, Stopped};

pub(crate) const WAIT: Duration = Duration::from_secs(30);

/// A directory that is gone after the test, with every server in it, whether it passed or not.
pub(crate) struct Place {
    pub(crate) root: PathBuf,
    /// ContainerRecord for its drop.
    shared: Option<Arc<Shared>>,
}

/// The one `initdb` of a run of tests: other tests copy its template.
struct Shared(Place);

static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());

impl Place {
    pub(crate) fn empty() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("pg-server-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let root = pg_server::scratch().join(name);
        // Not one that another user has made there.
        fs::create_dir(&root).unwrap();
        fs::set_permissions(&root, Permissions::from_mode(0o755)).unwrap();
        Self { root: fs::canonicalize(root).unwrap(), shared: None }
    }

    /// With a data directory that already keeps a template.
    pub(crate) fn with_template() -> Self {
        let shared = {
            let mut kept = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            kept.upgrade().unwrap_or_else(|| {
                let place = Self::empty();
                pg_server::template(&place.data_dir(), &binaries(), WAIT, &mut |_| {}).unwrap();
                let made = Arc::new(Shared(place));
                *kept = Arc::downgrade(&made);
                made
            })
        };
        let mut place = Self::empty();
        let status = Command::new("cp").arg("-a").arg(shared.0.data_dir()).arg(place.data_dir()).status().unwrap();
        assert!(status.success());
        place.shared = Some(shared);
        place
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.root.join("data-dir")
    }

    /// The cluster's directory, of whichever version there is.
    pub(crate) fn cluster(&self) -> PathBuf {
        self.data_dir().join("clusters").join(binaries().version.cluster_name())
    }

    /// A text without what differs from run to run: the place's path, our process, the server's programs, user, version
    /// and port.
    pub(crate) fn masked(&self, text: impl Display) -> String {
        let Binaries { directory, version, .. } = binaries();
        let major = version.cluster_name();
        let owner = self.data_dir().join("templates").read_dir().into_iter().flatten().flatten().next();
        let owner = owner.map_or(0, |entry| entry.path().join("data").metadata().unwrap().uid());
        let mut text = text.to_string();
        for (value, name) in [
            (self.root.display().to_string(), "[place]"),
            (directory.display().to_string(), "[programs]"),
            (version.to_string(), "[version]"),
            (format!("clusters/{major}"), "clusters/[version]"),
            (format!("PostgreSQL {major})"), "PostgreSQL [version])"),
            (format!("beside {major},"), "beside [version],"),
            (format!("the user {owner},"), "the user [owner],"),
            (format!(".new-{}-", process::id()), ".new-[process]-"),
            (format!("the process {} ", process::id()), "the process [process] "),
        ] {
            text = text.replace(&value, name);
        }
        let mut parts = text.split("127.0.0.1:");
        let first = parts.next().unwrap_or_default().to_owned();
        let is_digit = |c: char| c.is_ascii_digit();
        parts.fold(first, |text, part| text + "127.0.0.1:[port]" + part.trim_start_matches(is_digit))
    }

    pub(crate) fn start(&self) -> Server {
        self.find(Mode::Start).unwrap().0
    }

    /// The server, and what was said on the way.
    pub(crate) fn find(&self, mode: Mode) -> Result<(Server, Vec<String>), NoServer> {
        let path = path_variable();
        let mut said = Vec::new();
        let data_dir = self.data_dir();
        let request = Request { mode, path: path.as_deref(), ..request(&data_dir) };
        let server = pg_server::find(&request, &mut |line| said.push(line.to_owned()))?;
        Ok((server, said))
    }

    /// The process ids of the servers that were stopped.
    pub(crate) fn stop(&self) -> Vec<u32> {
        stop(&self.data_dir()).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = purge(&self.data_dir());
        for file in files(&self.root).into_iter().filter(|file| file.ends_with("postmaster.pid")) {
            // Ours to the end: only a process that works in that very directory.
            let text = fs::read_to_string(&file).unwrap_or_default();
            let pid = text.lines().next().unwrap_or_default();
            if fs::read_link(format!("/proc/{pid}/cwd")).ok().as_deref() == file.parent() {
                kill(pid);
            }
        }
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Nothing named, anything may be started.
pub(crate) fn request(data_dir: &Path) -> Request<'_> {
    Request {
        choice: ServerChoice::Auto,
        mode: Mode::Start,
        named: None,
        data_dir,
        bin_dir: None,
        path: None,
        durability: Durability::Development,
        containers: containers(),
        dump: Dump { database: "app_db", arguments: "--schema=app", clear: "'DROP SCHEMA app CASCADE;'" },
        wait: WAIT,
    }
}

/// No engine is meant by these tests: those of containers are end to end.
pub(crate) fn containers() -> ContainerSettings<'static> {
    static NOWHERE: LazyLock<EngineSettings> = LazyLock::new(|| EngineSettings {
        docker_host: Some("unix:///nowhere/docker.sock".to_owned()),
        ..EngineSettings::default()
    });
    ContainerSettings {
        project: "test",
        workspace: Path::new("/nowhere"),
        image: "postgres:18",
        image_is_default: true,
        engine: &NOWHERE,
        helper: &|_| Err("nobody asks for it".to_owned()),
    }
}

pub(crate) fn stop(data_dir: &Path) -> Result<Vec<u32>, Error> {
    pg_server::stop(data_dir, &containers(), WAIT, &mut |_| {}).map(|stopped| pids(&stopped))
}

pub(crate) fn purge(data_dir: &Path) -> Result<Vec<u32>, Error> {
    pg_server::purge(data_dir, &containers(), WAIT, &mut |_| {}).map(|stopped| pids(&stopped))
}

fn pids(stopped: &[Stopped]) -> Vec<u32> {
    let pid = |stopped: &Stopped| match stopped {
        Stopped::Cluster { pid, .. } => *pid,
        Stopped::Container { .. } => panic!("{stopped}"),
    };
    stopped.iter().map(pid).collect()
}

#[expect(clippy::disallowed_methods, reason = "these tests stand where xtask stands")]
pub(crate) fn path_variable() -> Option<OsString> {
    env::var_os("PATH")
}

/// The newest server that is installed here.
pub(crate) fn binaries() -> Binaries {
    let (installed, passed_over) = Binaries::installed(path_variable().as_deref());
    installed.into_iter().next().unwrap_or_else(|| panic!("these tests need PostgreSQL's binaries: {passed_over:?}"))
}

pub(crate) fn query(info: &ConnInfo, sql: &str) -> String {
    let mut session = pg_config::connect(info).unwrap();
    session.client.query_one(sql, &[]).unwrap().get(0)
}

pub(crate) fn execute(info: &ConnInfo, sql: &str) {
    pg_config::connect(info).unwrap().client.batch_execute(sql).unwrap();
}

pub(crate) fn superuser(server: &Server) -> &ConnInfo {
    server.superuser.as_ref().unwrap()
}

pub(crate) fn pid(server: &Server) -> u32 {
    server.local.as_ref().unwrap().pid
}

/// Every file and directory below.
pub(crate) fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        found.push(entry.path());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files(&entry.path()));
        }
    }
    found
}

/// Ends a process as nothing can refuse it. By the shell's own `kill`: the program is in a package of its own.
pub(crate) fn kill(pid: impl Display) {
    Command::new("sh").args(["-c", &format!("kill -9 {pid}")]).status().unwrap();
}

/// Whether a process ends, which may take it a moment after it has said so.
pub(crate) fn has_ended(pid: u32) -> bool {
    (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        !runs(pid)
    })
}

/// A process that has ended and is not collected does not run.
pub(crate) fn runs(pid: u32) -> bool {
    if cfg!(target_os = "linux") {
        // After the name in parentheses comes the state.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        return stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'));
    }
    let output = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    !output.stdout.trim_ascii().is_empty() && !output.stdout.starts_with(b"Z")
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
