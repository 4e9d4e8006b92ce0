//! What is the matter with the server while a command runs, and its end.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use pg_connect::Session;
use postgres::error::SqlState;

use crate::{
    fault::{Condition, Locked},
    random::Random,
    scene::Scene,
};

/// Settings of the server that a condition needs from its start.
pub(crate) fn settings(condition: Option<&Condition>) -> &'static [(&'static str, &'static str)] {
    match condition {
        Some(Condition::Standby) => &[("wal_level", "replica"), ("hot_standby", "on")],
        Some(Condition::NoConnection { .. }) => {
            &[("max_connections", "12"), ("superuser_reserved_connections", "3"), ("autovacuum", "off")]
        }
        Some(Condition::Prepared) => &[("max_prepared_transactions", "4")],
        _ => &[],
    }
}

/// A condition that lasts.
pub(crate) struct Imposed {
    condition: Condition,
    database: &'static str,
    /// The harness's own session, with settings of its own; and those that take up all connections.
    sessions: Vec<Session>,
    /// The session that holds locks, until it is over.
    holding: Arc<Mutex<Option<Session>>>,
    ballast: Option<PathBuf>,
    /// Whether a session has waited for the harness's own, for so long that it has to say so.
    pub(crate) blocked: Option<Blocked>,
}

impl Imposed {
    pub(crate) fn on(scene: &Scene, condition: &Condition, database: &'static str, random: &mut Random) -> Self {
        let sessions = vec![open(scene, database)];
        let (condition, holding) = (condition.clone(), Arc::default());
        let mut imposed = Self { condition, database, sessions, holding, ballast: None, blocked: None };
        match imposed.condition.clone() {
            Condition::Well => imposed.sessions.clear(),
            Condition::ReadOnly => imposed.set("default_transaction_read_only", "on", scene),
            Condition::Setting(name, value) => imposed.set(&name, &value, scene),
            Condition::Standby => {
                imposed.sessions.clear();
                scene.restart(|server| server.touch("standby.signal"));
            }
            Condition::NoConnection { has_reserved } => {
                // One session is open already.
                let limit = if has_reserved { 8 } else { 100 };
                while imposed.sessions.len() <= limit {
                    match pg_connect::connect(&scene.cluster.superuser()) {
                        Ok(session) => imposed.sessions.push(session),
                        Err(_) => break,
                    }
                }
            }
            Condition::Lock(locked, limit) => {
                let tables = match locked {
                    Locked::Tables => scene.cluster.value(
                        database,
                        "SELECT pg_catalog.string_agg(oid::regclass::text, ', ') FROM pg_catalog.pg_class
                         WHERE relkind = 'r' AND relnamespace IN (SELECT oid FROM pg_catalog.pg_namespace
                                                                  WHERE nspname IN ('aura', 'public'))",
                    ),
                    Locked::Catalog => "pg_catalog.pg_namespace".to_owned(),
                    Locked::Login => "pg_catalog.pg_class".to_owned(),
                };
                imposed.own().batch_execute(&format!("BEGIN; LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")).unwrap();
                if locked == Locked::Tables {
                    imposed.blocked = Some(Blocked::watch(imposed.own(), open(scene, "postgres")));
                }
                let holding = imposed.sessions.pop();
                *imposed.holding.lock().unwrap() = holding;
                if let Some(limit) = limit {
                    let holding = imposed.holding.clone();
                    thread::spawn(move || {
                        thread::sleep(limit);
                        holding.lock().unwrap().take()
                    });
                }
            }
            Condition::Prepared => {
                let own = imposed.own();
                own.batch_execute("BEGIN").unwrap();
                own.batch_execute("CREATE TABLE public.held (id int)").unwrap();
                own.batch_execute("PREPARE TRANSACTION 'faults'").unwrap();
            }
            Condition::DiskFull => {
                imposed.sessions.clear();
                let directory = scene.server().data().parent().unwrap().parent().unwrap().to_owned();
                let ballast = directory.join("ballast");
                fill(&directory, &ballast, 64 * 1024 + random.below(12 << 20));
                imposed.ballast = Some(ballast);
            }
        }
        imposed
    }

    /// Ends it. The server serves afterwards.
    pub(crate) fn end(mut self, scene: &Scene) {
        if let Some(ballast) = &self.ballast {
            fs::remove_file(ballast).unwrap();
        }
        match self.condition.clone() {
            Condition::ReadOnly => self.reset("default_transaction_read_only", scene),
            Condition::Setting(name, _) => self.reset(&name, scene),
            Condition::Standby => {
                scene.restart(|server| fs::remove_file(server.data().join("standby.signal")).unwrap());
            }
            Condition::Prepared => {
                // A command may have dropped the database that it is in, and the session with it.
                let there = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts";
                if scene.cluster.value("postgres", there) != "0" {
                    scene.cluster.sql(self.database, "ROLLBACK PREPARED 'faults'");
                }
            }
            Condition::Well | Condition::NoConnection { .. } | Condition::Lock(..) | Condition::DiskFull => {}
        }
        self.sessions.clear();
        self.holding.lock().unwrap().take();
        scene.bring_up();
    }

    fn own(&mut self) -> &mut postgres::Client {
        &mut self.sessions[0].client
    }

    fn set(&mut self, name: &str, value: &str, scene: &Scene) {
        self.own().batch_execute(&format!("ALTER SYSTEM SET {name} = '{value}'")).unwrap();
        self.reload(name, value, scene);
    }

    fn reset(&mut self, name: &str, scene: &Scene) {
        let default = if name == "default_transaction_read_only" { "off" } else { "0" };
        self.sessions = vec![open(scene, "postgres")];
        self.own().batch_execute(&format!("ALTER SYSTEM RESET {name}")).unwrap();
        self.reload(name, default, scene);
    }

    /// Waits until new sessions have it.
    fn reload(&mut self, name: &str, value: &str, scene: &Scene) {
        self.own().batch_execute("SELECT pg_catalog.pg_reload_conf()").unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let mut session = pg_connect::connect(&scene.cluster.superuser()).unwrap();
            let found = session.client.simple_query(&format!("SHOW {name}")).unwrap();
            let is_set = found
                .iter()
                .any(|message| matches!(message, postgres::SimpleQueryMessage::Row(row) if row.get(0) == Some(value)));
            if is_set {
                return;
            }
            assert!(Instant::now() < deadline, "{name} does not become {value}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A session that holds locks, and how long others have waited for it.
#[derive(Clone)]
pub(crate) struct Blocked {
    /// Its process id.
    pub(crate) blocker: i32,
    /// A session has waited for longer than after which a command says so.
    pub(crate) is_long: Arc<AtomicBool>,
}

impl Blocked {
    fn watch(blocker: &mut postgres::Client, mut watching: Session) -> Self {
        let process = blocker.query_one("SELECT pg_catalog.pg_backend_pid()", &[]).unwrap().get(0);
        let blocked = Self { blocker: process, is_long: Arc::default() };
        let seen = blocked.clone();
        thread::spawn(move || {
            let waiting = "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks
                           WHERE NOT granted AND $1 = ANY (pg_catalog.pg_blocking_pids(pid)))";
            let mut since = Instant::now();
            // Until this thread alone has it, or the server ends.
            while Arc::strong_count(&seen.is_long) > 1
                && let Ok(row) = watching.client.query_one(waiting, &[&process])
            {
                if !row.get::<_, bool>(0) {
                    since = Instant::now();
                }
                // Twice as long as it takes to be said, as machines are busy.
                seen.is_long.fetch_or(since.elapsed() > Duration::from_secs(10), SeqCst);
                thread::sleep(Duration::from_millis(100));
            }
        });
        blocked
    }
}

/// A session of the superuser that no condition touches.
fn open(scene: &Scene, database: &str) -> Session {
    let mut session = pg_connect::connect(&scene.cluster.superuser().with_database(database)).unwrap();
    // On a busy machine this statement itself may take longer than the time-out that a condition has set.
    let ends = |error: &postgres::Error| error.code() == Some(&SqlState::QUERY_CANCELED);
    while session.client.batch_execute("SET statement_timeout = 0").is_err_and(|error| ends(&error)) {}
    for setting in
        ["default_transaction_read_only = off", "lock_timeout = 0", "idle_in_transaction_session_timeout = 0"]
    {
        session.client.batch_execute(&format!("SET {setting}")).unwrap();
    }
    session
}

/// A small file system in memory.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// `None`, and said, where we may not mount one.
    pub(crate) fn mount(directory: &Path) -> Option<Self> {
        fs::create_dir_all(directory).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=192m,mode=711", "faults"]).arg(directory);
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        if !is_mounted {
            eprintln!("skipped: a full disk needs a file system of its own, which only root may mount");
            let _ = fs::remove_dir(directory);
        }
        is_mounted.then(|| Self(directory.to_owned()))
    }

    /// Where a cluster fits.
    pub(crate) fn cluster(&self) -> PathBuf {
        self.0.join("cluster")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

/// Writes a file that leaves so many bytes free.
fn fill(directory: &Path, file: &Path, free: u64) {
    let space = nix::sys::statvfs::statvfs(directory).unwrap();
    let available = space.blocks_available() * space.fragment_size();
    fs::write(file, vec![0; usize::try_from(available.saturating_sub(free)).unwrap()]).unwrap();
}
