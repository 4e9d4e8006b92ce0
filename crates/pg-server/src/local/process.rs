//! Processes: whose a process id is, and signals.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Command, Stdio},
};

use nix::{
    sys::{
        signal::{self, Signal},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};

/// What runs under a process id that a pid file names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The server of this data directory.
    Postmaster,
    /// Something else: another process that was given the id since, or a server that has ended and that
    /// its parent does not collect (in a container, often nobody does). PostgreSQL would take either for
    /// a running server.
    Foreign,
    /// No process.
    Nothing,
}

/// Looks at a process: whether it is the server of this data directory, run by this user. The server's user writes the
/// pid file, and could name any process there. `/proc` where there is one, else `ps`.
pub(crate) fn holder(pid: u32, data: &Path, user: u32) -> Holder {
    if Path::new("/proc/self/status").exists() { from_proc(pid, data, user) } else { from_ps(pid, data, user) }
}

/// The names of the program, as the kernel has them (15 bytes): also the old one, and that of NixOS.
const PROGRAMS: [&str; 3] = ["postgres", "postmaster", ".postgres-wrapp"];

/// A server works in its data directory, and is told it by `-D`. The working directory is readable to
/// the same user and to whoever may trace (not to root in a container), the rest to everybody. The link to the
/// executable is not asked: it is no more readable, and names the emulator where one runs the server.
fn from_proc(pid: u32, data: &Path, user: u32) -> Holder {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
        return if Path::new(&format!("/proc/{pid}")).exists() { Holder::Foreign } else { Holder::Nothing };
    };
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
    // Real, effective, saved and of the file system.
    let is_its_users = field("Uid:") == format!("{user}\t{user}\t{user}\t{user}");
    if !is_its_users || !PROGRAMS.contains(&field("Name:")) {
        return Holder::Foreign;
    }
    // Empty where it has ended.
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let is_told = line.split(|byte| *byte == 0).any(|word| word == data.as_os_str().as_bytes());
    let works_there = fs::read_link(format!("/proc/{pid}/cwd")).map_or(is_told, |directory| directory == data);
    if !line.is_empty() && works_there { Holder::Postmaster } else { Holder::Foreign }
}

fn from_ps(pid: u32, data: &Path, user: u32) -> Holder {
    let mut ps = Command::new("ps");
    ps.args(["-ww", "-o", "uid=", "-o", "command=", "-p", &pid.to_string()]).stdin(Stdio::null());
    let line = ps.output().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    let Some((id, command)) = line.split_once(' ') else { return Holder::Nothing };
    let is_told = data.to_str().is_some_and(|data| command.contains(&format!("postgres -D {data}")));
    if id.parse() == Ok(user) && is_told { Holder::Postmaster } else { Holder::Foreign }
}

/// Sends a signal; a process that is gone already is fine.
pub(crate) fn send(pid: u32, signal: Signal) {
    if let Some(pid) = pid_t(pid) {
        let _ = signal::kill(pid, signal);
    }
}

/// Collects a server that this very process started and that has ended; not one that is still watched.
pub(crate) fn collect(pid: u32) {
    if let Some(pid) = pid_t(pid) {
        let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
    }
}

/// 0, 1 and negative numbers would mean somebody else, or whole groups.
fn pid_t(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().filter(|pid| *pid > 1).map(Pid::from_raw)
}

/// Writes a script in a process of its own: a child that another test forks meanwhile would inherit our
/// file, and until it is closed there too the script cannot be run ("text file busy").
#[cfg(test)]
pub(crate) fn write_script(path: &Path, text: &str) {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("printf '%s' \"$1\" > \"$0\" && chmod 755 \"$0\"").arg(path).arg(text);
    assert!(shell.status().is_ok_and(|status| status.success()));
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    #[test]
    fn tells_a_foreign_process_from_none() {
        let holder = |pid| holder(pid, Path::new("/nowhere"), nix::unistd::geteuid().as_raw());
        assert_eq!(holder(process::id()), Holder::Foreign);
        let mut child = Command::new("true").spawn().unwrap();
        assert_eq!(holder(child.id()), Holder::Foreign, "running, or not collected");
        child.wait().unwrap();
        assert_eq!(holder(child.id()), Holder::Nothing);
    }
}
