//! A server, a proxy in front of it, and a workspace whose URLs lead to the proxy.

use std::{
    collections::HashMap,
    fs::{self, File},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::Child,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use tests::{Cluster, Message, Passage, Postmaster, Proxy, Sender, Workspace};

use crate::{
    fault::{Act, Whom},
    lease,
    plan::Command,
};

/// Where a command runs.
pub(crate) struct Scene {
    pub(crate) cluster: Cluster,
    workspace: Workspace,
    trigger: Arc<Trigger>,
    _proxy: Proxy,
    runs: Runs,
}

/// The processes of one case.
pub(crate) struct Runs {
    directory: PathBuf,
    /// A variable in the environment of each.
    marker: String,
    /// How long each may take.
    patience: Duration,
    count: AtomicU32,
}

/// How a command ended.
pub(crate) struct Ended {
    /// Its exit code; none where a signal ended it, or the harness did.
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    /// It ran longer than any bound of its own.
    pub(crate) is_stuck: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
}

/// The variable by which processes of a case are found.
const MARKER: &str = "FAULTS_PROCESS";

/// Longer than any bound of the tool's own.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// How long a command may take to end after Ctrl-C.
const INTERRUPTED: Duration = Duration::from_secs(10);

/// How late a delayed message is.
const DELAY: Duration = Duration::from_millis(700);

/// When something happens, and what.
pub(crate) struct Trigger {
    fault: Option<(Act, u64)>,
    is_armed: AtomicBool,
    has_fired: AtomicBool,
    messages: Mutex<Vec<(u64, Sender, Option<u8>)>>,
    /// The tool, once it was started.
    process: OnceLock<u32>,
    /// Of each connection the process that serves it.
    backends: Mutex<HashMap<u64, i32>>,
    server: Mutex<Postmaster>,
}

impl Trigger {
    fn see(&self, message: &mut Message<'_>) -> Passage {
        if (message.sender, message.tag) == (Sender::Server, Some(b'K')) && message.bytes.len() >= 9 {
            let process = i32::from_be_bytes(message.bytes[5..9].try_into().unwrap());
            self.backends.lock().unwrap().insert(message.connection, process);
        }
        if !self.is_armed.load(SeqCst) {
            return Passage::Pass;
        }
        self.messages.lock().unwrap().push((message.number, message.sender, message.tag));
        match &self.fault {
            Some((act, at)) if *at == message.number => {
                self.has_fired.store(true, SeqCst);
                self.act(act, message)
            }
            _ => Passage::Pass,
        }
    }

    fn act(&self, act: &Act, message: &mut Message<'_>) -> Passage {
        match act {
            Act::Cut if message.number.is_multiple_of(2) => return Passage::Reset,
            Act::Cut => return Passage::Close,
            Act::Stall => return Passage::Stall,
            Act::Delay => thread::sleep(DELAY),
            Act::Garble => garble(message),
            Act::Signal(signal, whom) => self.signal(*signal, *whom),
            Act::End(signal) => self.server.lock().unwrap().end(*signal),
            Act::Restart => {
                let mut server = self.server.lock().unwrap();
                server.end(Signal::SIGINT);
                reap(server.start());
            }
            Act::Backend(signal) => {
                if let Some(process) = self.backends.lock().unwrap().get(&message.connection) {
                    let process = Pid::from_raw(*process);
                    // Until the server has noticed: from then on it refuses logins until it has started again.
                    while kill(process, *signal).is_ok() && *signal == Signal::SIGKILL {
                        thread::sleep(Duration::from_millis(1));
                    }
                }
            }
            Act::Condition(condition) => panic!("{condition:?} does not happen at a message"),
        }
        Passage::Pass
    }

    fn signal(&self, signal: Signal, whom: Whom) {
        let process = Pid::from_raw((*self.process.wait()).try_into().unwrap());
        // One that has ended already is past all signals.
        let _ = match whom {
            Whom::Tool => kill(process, signal),
            Whom::Group => killpg(process, signal),
        };
    }
}

/// A type that no message has, or a length that no message has.
fn garble(message: &mut Message<'_>) {
    match message.tag {
        Some(_) if message.number.is_multiple_of(2) => message.bytes[0] = 0x01,
        Some(_) => message.bytes[1..5].copy_from_slice(&2_u32.to_be_bytes()),
        None if message.bytes.len() < 5 => message.bytes[0] = 0x01,
        None => message.bytes[..4].copy_from_slice(&2_u32.to_be_bytes()),
    }
}

/// Waits for a child in a thread of its own: without that its process id stays in use after its end.
fn reap(mut child: Child) {
    thread::spawn(move || child.wait());
}

impl Scene {
    /// On a running server. A fault at a message happens in the first command that runs here.
    pub(crate) fn set(cluster: Cluster, command: &Command, fault: Option<(Act, u64)>, patience: Duration) -> Self {
        let trigger = Arc::new(Trigger {
            fault,
            is_armed: AtomicBool::new(true),
            has_fired: AtomicBool::new(false),
            messages: Mutex::default(),
            process: OnceLock::new(),
            backends: Mutex::default(),
            server: Mutex::new(cluster.postmaster()),
        });
        let seen = trigger.clone();
        let proxy = Proxy::before(cluster.port(), move |message| seen.see(message));
        let mut workspace = Workspace::on(&cluster);
        for key in ["DATABASE_URL", "ADMIN_DATABASE_URL"] {
            let url = workspace.setting(key).replace(&format!(":{}/", cluster.port()), &format!(":{}/", proxy.port));
            workspace = workspace.with(key, &url);
        }
        for (key, value) in &command.environment {
            workspace = workspace.with(key, value);
        }
        workspace.write("schema.sql", include_str!("schema.sql"));
        workspace.write("Cargo.toml", include_str!("../../project.toml"));
        let runs = Runs::new(workspace.root(), patience);
        Self { cluster, workspace, trigger, _proxy: proxy, runs }
    }

    /// The numbers of the messages that the first command has sent and got; of several in a row of one type and one
    /// sender, the first.
    pub(crate) fn messages(&self) -> Vec<u64> {
        let mut messages = self.trigger.messages.lock().unwrap().clone();
        messages.sort_unstable_by_key(|(number, _, _)| *number);
        messages.dedup_by_key(|(_, sender, tag)| (*sender, *tag));
        messages.into_iter().map(|(number, _, _)| number).collect()
    }

    /// Whether the fault has happened.
    pub(crate) fn has_fired(&self) -> bool {
        self.trigger.has_fired.load(SeqCst)
    }

    /// Runs the command, with the fault if it has not been run before.
    pub(crate) fn run(&self, command: &Command) -> Ended {
        let arguments: Vec<_> = command.run.iter().map(String::as_str).collect();
        let ended = match *arguments {
            [lease::ARGUMENT] => {
                let own = std::env::current_exe().unwrap();
                self.follow(self.workspace.command_of(&own, &arguments))
            }
            _ => self.follow(self.workspace.command(&arguments)),
        };
        self.trigger.is_armed.store(false, SeqCst);
        ended
    }

    /// Runs the tool without a fault.
    pub(crate) fn tool(&self, arguments: &[&str]) -> Ended {
        self.trigger.is_armed.store(false, SeqCst);
        self.follow(self.workspace.command(arguments))
    }

    fn follow(&self, command: std::process::Command) -> Ended {
        self.runs.follow(command, |process| _ = self.trigger.process.set(process))
    }

    /// Sends a signal to the first command, when it has run for so long.
    pub(crate) fn signal_after(&self, delay: Duration, signal: Signal, whom: Whom) {
        let trigger = self.trigger.clone();
        thread::spawn(move || {
            trigger.process.wait();
            thread::sleep(delay);
            if trigger.is_armed.load(SeqCst) {
                trigger.has_fired.store(true, SeqCst);
                trigger.signal(signal, whom);
            }
        });
    }

    /// Starts the server where it does not run, and waits until it lets its superuser in.
    pub(crate) fn bring_up(&self) {
        let mut server = self.trigger.server.lock().unwrap();
        let connection = self.cluster.superuser();
        for attempt in 0..3000 {
            if pg_connect::connect(&connection).is_ok() {
                return;
            }
            if !server.is_running() && attempt % 100 == 0 {
                reap(server.start());
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not come back:\n{}", self.cluster.log());
    }

    /// The server's process.
    pub(crate) fn server(&self) -> std::sync::MutexGuard<'_, Postmaster> {
        self.trigger.server.lock().unwrap()
    }

    /// Ends the server, changes something, and starts it.
    pub(crate) fn restart(&self, change: impl FnOnce(&Postmaster)) {
        let mut server = self.server();
        server.end(Signal::SIGINT);
        change(&server);
        reap(server.start());
    }

    /// The processes that commands have started here and that still run, each with its command line.
    pub(crate) fn processes(&self) -> Vec<String> {
        self.runs.processes().into_iter().map(|(_, line)| line).collect()
    }

    /// Ends them.
    pub(crate) fn end_processes(&self) {
        self.runs.end_processes();
    }

    /// The sessions of others than the harness, each with its last statement.
    pub(crate) fn sessions(&self) -> String {
        // A server whose process was killed starts again a moment later.
        self.bring_up();
        self.cluster.value(
            "postgres",
            "SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', pid, usename, datname, application_name, state,
                                                               pg_catalog.left(query, 100)), E'\\n')
             FROM pg_catalog.pg_stat_activity
             WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()",
        )
    }
}

impl Runs {
    /// In a directory for what they print.
    pub(crate) fn new(directory: &Path, patience: Duration) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, SeqCst);
        let marker = format!("{}-{number}", std::process::id());
        Self { directory: directory.to_owned(), marker, patience, count: AtomicU32::new(0) }
    }

    /// Runs a command to its end.
    pub(crate) fn wait(&self, command: std::process::Command) -> Ended {
        self.follow(command, |_| ())
    }

    /// The same, with its process id.
    fn follow(&self, mut command: std::process::Command, started: impl FnOnce(u32)) -> Ended {
        let number = self.count.fetch_add(1, SeqCst);
        // Files, as a pipe would end only with the last process that holds it.
        let file = |name: &str| self.directory.join(format!("{name}-{number}"));
        let create = |name: &str| File::create(file(name)).unwrap();
        command.env(MARKER, &self.marker).process_group(0).stdout(create("stdout")).stderr(create("stderr"));
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        started(child.id());
        let group = Pid::from_raw(child.id().try_into().unwrap());
        // What a person does: Ctrl-C, and when that does not help, kill.
        let mut ends = [(self.patience, Signal::SIGINT), (self.patience + INTERRUPTED, Signal::SIGKILL)].into_iter();
        let mut next = ends.next();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if let Some((after, signal)) = next
                && begun.elapsed() > after
            {
                let _ = killpg(group, signal);
                next = ends.next();
            }
            thread::sleep(Duration::from_millis(2));
        };
        let elapsed = begun.elapsed();
        let is_stuck = elapsed > self.patience;
        let text = |name: &str| String::from_utf8_lossy(&fs::read(file(name)).unwrap()).into_owned();
        let (stdout, stderr) = (text("stdout"), text("stderr"));
        Ended { code: status.code(), signal: status.signal(), is_stuck, stdout, stderr, elapsed }
    }

    /// Those that still run, each with its command line.
    fn processes(&self) -> Vec<(Pid, String)> {
        let marker = format!("{MARKER}={}", self.marker);
        // A server has an environment of its own, and its directory in its arguments.
        let directory = self.directory.display().to_string() + "/";
        let found = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let process = Pid::from_raw(entry.file_name().to_string_lossy().parse().ok()?);
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ").trim_end().to_owned();
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let is_marked = environment.split(|byte| *byte == 0).any(|variable| variable == marker.as_bytes());
            (!line.is_empty() && (is_marked || line.contains(&directory))).then_some((process, line))
        });
        found.collect()
    }

    /// Ends them.
    pub(crate) fn end_processes(&self) {
        for (process, _) in self.processes() {
            let _ = kill(process, Signal::SIGKILL);
        }
    }
}
