//! Programs that end with this process, however it ends: each runs in a process group of its own, and a shell beside it
//! ends the group when this process is gone.
//!
//! The shell reads from a pipe that this process alone holds open: the end of the pipe is the end of this process, by
//! SIGKILL too. The program itself begins only when the shell watches.

use std::{
    ffi::OsStr,
    fs,
    io::{self, PipeWriter, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::lock::Turn;

/// Waits for the word to begin. A program in the background of a terminal is not stopped where it reads or writes there
/// (SIGTTIN, SIGTTOU): it gets an error, as it does without a terminal.
const PROGRAM: &str = r#"trap '' TTIN TTOU; read -r word && exec "$@" </dev/null"#;

/// Ends the group: by the signal of Ctrl-C, on which psql also ends its query on the server; then by the two that are
/// harder to refuse. Each time it waits up to 2 s. Its stdout is the turn of what it ends, whose file is `$2`.
const WATCH: &str = r#"trap 'rm -f -- "$2"' EXIT
read -r end
for signal in INT TERM KILL; do
    kill -s "$signal" -- "-$1" 2>/dev/null || exit 0
    looks=0
    while [ "$looks" -lt 40 ]; do
        kill -s 0 -- "-$1" 2>/dev/null || exit 0
        sleep 0.05
        looks=$((looks + 1))
    done
done"#;

/// A running program of which nothing outlives this process. Drop ends it.
#[derive(Debug)]
pub struct Group {
    child: Child,
}

/// What this process has started, and whether it may start more.
struct Started {
    watches: Vec<Watch>,
    is_interrupted: bool,
}

/// The shell that ends a group when the pipe does.
struct Watch {
    group: u32,
    shell: Child,
    pipe: PipeWriter,
    /// The file of the turn that the shell holds.
    turn: Option<PathBuf>,
}

static STARTED: Mutex<Started> = Mutex::new(Started { watches: Vec::new(), is_interrupted: false });

impl Group {
    /// The command of a program, for [`Self::spawn`].
    pub fn command(program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", PROGRAM, "sh"]).arg(program);
        command
    }

    /// Runs a command of [`Self::command`] in a group of its own, with nothing on its standard input. Its turn ends with
    /// it.
    pub fn spawn(mut command: Command, turn: Option<Turn>) -> io::Result<Self> {
        let mut started = started();
        if started.is_interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let (word, mut begin) = io::pipe()?;
        let mut group = Self { child: command.stdin(word).process_group(0).spawn()? };
        let watch = Watch::start(group.child.id(), turn).and_then(|watch| {
            begin.write_all(b"\n")?;
            Ok(watch)
        });
        match watch {
            Ok(watch) => started.watches.push(watch),
            Err(error) => {
                // It has not begun, and does not now. The group's drop looks at what was started.
                drop((begin, started));
                let _ = group.child.wait();
                return Err(error);
            }
        }
        Ok(group)
    }

    /// Waits for the program's end. Where [`interrupt`] ended it, for that of its whole group, and the error's kind is
    /// `Interrupted`. Else what the program has left running stays.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait()?;
        self.release()?;
        Ok(status)
    }

    /// The same, without waiting: `None` while the program runs.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() {
            self.release()?;
        }
        Ok(status)
    }

    /// Nothing watches it any more.
    fn release(&self) -> io::Result<()> {
        match started().take(self.child.id()) {
            Some(watch) => watch.dismiss(),
            None => Err(io::ErrorKind::Interrupted.into()),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let watch = started().take(self.child.id());
        if let Some(Watch { mut shell, pipe, .. }) = watch {
            drop(pipe);
            let _ = self.child.wait();
            let _ = shell.wait();
        }
    }
}

impl Watch {
    fn start(group: u32, turn: Option<Turn>) -> io::Result<Self> {
        let (end, pipe) = io::pipe()?;
        let mut shell = Command::new("sh");
        shell.args(["-c", WATCH, "sh"]).arg(group.to_string());
        let (stdout, turn) = match turn {
            Some(Turn { file, path }) => (file.into(), Some(path)),
            None => (Stdio::null(), None),
        };
        shell.args(&turn);
        // Who ends the group of this process, as a terminal or a runner does, does not end the shell.
        shell.stdin(end).stdout(stdout).stderr(Stdio::null()).process_group(0);
        Ok(Self { group, shell: shell.spawn()?, pipe, turn })
    }

    fn dismiss(mut self) -> io::Result<()> {
        if let Some(turn) = &self.turn {
            // Before the lock on it ends: a file of this name is another's then.
            let _ = fs::remove_file(turn);
        }
        self.shell.kill()?;
        self.shell.wait().map(drop)
    }
}

impl Started {
    fn take(&mut self, group: u32) -> Option<Watch> {
        let at = self.watches.iter().position(|watch| watch.group == group)?;
        Some(self.watches.swap_remove(at))
    }
}

fn started() -> MutexGuard<'static, Started> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends every program that this process has started as a [`Group`], and starts no more: for the handler of a signal.
/// Returns, when they have ended, whether there was any; `tell` hears before.
pub fn interrupt(tell: impl FnOnce()) -> bool {
    let mut started = started();
    started.is_interrupted = true;
    if started.watches.is_empty() {
        return false;
    }
    tell();
    let shells: Vec<_> = started.watches.drain(..).map(|Watch { shell, .. }| shell).collect();
    for mut shell in shells {
        let _ = shell.wait();
    }
    true
}

/// Whether this process ignores a signal, as Linux says: SIGHUP under `nohup`, SIGINT in the background of a shell. Who
/// listens for signals leaves such a one alone. Elsewhere it is not known: `false`.
pub fn ignores(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use nix::libc::{SIGPIPE, SIGTERM};

    use super::ignores;

    #[test]
    #[cfg(target_os = "linux")]
    fn which_signals_are_ignored() {
        // As every Rust program begins.
        assert!(ignores(SIGPIPE) && !ignores(SIGTERM));
    }
}
