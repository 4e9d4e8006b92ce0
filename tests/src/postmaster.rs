//! The server process of a cluster whose files are on this machine: it is ended and started again as it was.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// What is known of a postmaster.
#[derive(Clone, Debug)]
pub struct Postmaster {
    pid: u32,
    arguments: Vec<String>,
    data: PathBuf,
}

impl Postmaster {
    /// That of a process id and a data directory. It runs.
    pub(crate) fn of(pid: u32, data: PathBuf) -> Self {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        let words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
        Self { pid, arguments: words.filter(|word| !word.is_empty()).collect(), data }
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Whether its process is there.
    pub fn is_running(&self) -> bool {
        !has_ended(self.pid)
    }

    /// Ends it by a signal: SIGINT is a fast shutdown, SIGQUIT an immediate one, SIGKILL a crash. Waits until it and
    /// all of its children have ended.
    pub fn end(&self, signal: Signal) {
        let children = children(self.pid);
        // One that has ended already is what is asked for.
        let _ = kill(Pid::from_raw(self.pid.try_into().unwrap()), signal);
        await_that("the server ended", || has_ended(self.pid) && children.iter().all(|child| has_ended(*child)));
        // A process keeps its id until its parent has waited for it: the next server would take it for one that runs.
        let sockets = fs::read_dir(self.data.with_file_name("run")).into_iter().flatten().flatten();
        let locks =
            sockets.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "lock"));
        for file in locks.chain([self.data.join("postmaster.pid")]) {
            let _ = fs::remove_file(file);
        }
    }

    /// Starts the server again with the same arguments, and waits until it serves.
    pub fn start(&mut self) -> Child {
        let owner = fs::metadata(&self.data).unwrap();
        let mut server = Command::new(&self.arguments[0]);
        server.args(&self.arguments[1..]).current_dir("/").stdin(Stdio::null()).process_group(0);
        // Only root may become another user; every other user is the server's user already.
        if owner.uid() != fs::metadata("/proc/self").unwrap().uid() {
            server.uid(owner.uid()).gid(owner.gid());
        }
        server.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = server.spawn().unwrap();
        let pid_file = self.data.join("postmaster.pid");
        await_that("the server serves", || {
            // After a crash the memory of the one before is in use until its last process has ended.
            if child.try_wait().unwrap().is_some() {
                child = server.spawn().unwrap();
            }
            let lines = fs::read_to_string(&pid_file).unwrap_or_default();
            ["standby", "ready"].iter().any(|word| lines.trim_end().ends_with(word))
        });
        self.pid = child.id();
        child
    }

    /// Makes an empty file in the data directory that the server may read.
    pub fn touch(&self, name: &str) {
        let owner = fs::metadata(&self.data).unwrap();
        let file = self.data.join(name);
        fs::write(&file, "").unwrap();
        chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
}

/// The processes whose parent this is.
fn children(pid: u32) -> Vec<u32> {
    let tasks = format!("/proc/{pid}/task/{pid}/children");
    let text = fs::read_to_string(tasks).unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Whether a process has ended. In the state `Z` it has, and its parent has not asked.
fn has_ended(pid: u32) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    text.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("waited for 60 s: {what}");
}
