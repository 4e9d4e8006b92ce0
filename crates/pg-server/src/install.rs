//! `--install`: PostgreSQL by the system's own package manager.

use std::{
    env,
    ffi::OsStr,
    fmt,
    io::{self, IsTerminal},
    path::PathBuf,
    process::{Command, Stdio},
};

use nix::unistd::geteuid;

use crate::{Binaries, Error, Rung, Say, Skipped, shell_word};

/// A package manager that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    /// Debian, Ubuntu.
    AptGet,
    /// Fedora, Red Hat.
    Dnf,
    /// Alpine.
    Apk,
    /// Arch.
    Pacman,
    /// Homebrew, on macOS and Linux.
    Brew,
}

/// As whom packages are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunAs {
    /// We are root.
    Root,
    /// Through `sudo`, which may ask for a password at the terminal.
    Sudo,
    /// Through `sudo -n`, which asks nothing and fails instead.
    SudoWithoutAsking,
}

const MANAGERS: [Manager; 5] = [Manager::AptGet, Manager::Dnf, Manager::Apk, Manager::Pacman, Manager::Brew];

/// Debian makes and starts a cluster on port 5432 with the package. A file in this directory forbids it
/// (pg_createcluster(1)); it is taken away when the package is there, and other installations are as ever.
const APT_INSTALL: &str = "\
    set -e; d=/etc/postgresql-common/createcluster.d; mkdir -p $d; \
    trap 'rm -f $d/zz-pg-server.conf; rmdir $d 2>/dev/null || true' EXIT; \
    echo 'create_main_cluster = false' > $d/zz-pg-server.conf; \
    apt-get install -y --no-install-recommends postgresql";

/// Installs PostgreSQL; the package manager's output goes to our standard error.
pub(crate) fn install(path: Option<&OsStr>, say: Say<'_>) -> Result<(), Error> {
    let manager = manager(path).ok_or_else(|| Error::Install(unknown_system()))?;
    let run_as = run_as(manager, path).map_err(Error::Install)?;
    if manager == Manager::AptGet {
        say("installing PostgreSQL by apt-get, without the cluster on port 5432 that Debian would make with it");
    } else {
        say(&format!("installing PostgreSQL by {manager}"));
    }
    for words in manager.commands(run_as) {
        let line = shell_line(&words);
        say(&format!("running: {line}"));
        let (program, arguments) = words.split_first().ok_or_else(|| Error::Install("no command".to_owned()))?;
        let mut command = Command::new(on_path(path, program).unwrap_or_else(|| program.into()));
        command.args(arguments).stdout(io::stderr());
        if run_as != RunAs::Sudo {
            command.stdin(Stdio::null());
        }
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(Error::Install(format!("`{line}` failed ({status})"))),
            Err(error) => return Err(Error::Install(format!("`{line}` cannot be run: {error}"))),
        }
    }
    Ok(())
}

/// Installs PostgreSQL where no server of it is installed.
pub fn install_where_missing(path: Option<&OsStr>, say: Say<'_>) -> Result<(), Error> {
    if Binaries::installed(path).0.is_empty() { install(path, say) } else { Ok(()) }
}

/// The `install` rung where nobody asked for it: what it would do.
pub(crate) fn not_asked_for(path: Option<&OsStr>) -> Skipped {
    let (reason, remedy) = match manager(path) {
        Some(manager) => (
            format!("{manager} could install PostgreSQL, and was not asked to"),
            Some("let it do so: cargo xtask db-setup --install".to_owned()),
        ),
        None => (unknown_system(), None),
    };
    Skipped { rung: Rung::Install, reason, remedy }
}

impl Manager {
    /// The commands, in order, each as a program and its arguments.
    fn commands(self, run_as: RunAs) -> Vec<Vec<String>> {
        let commands: &[&[&str]] = match self {
            Self::AptGet => &[
                &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "update"],
                &["env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", APT_INSTALL],
            ],
            Self::Dnf => &[&["dnf", "install", "-y", "postgresql-server"]],
            Self::Apk => &[&["apk", "add", "--no-cache", "postgresql"]],
            // A fresh container has no list of packages.
            Self::Pacman => &[&["pacman", "-Sy", "--noconfirm", "--needed", "postgresql"]],
            Self::Brew => &[&["brew", "install", "postgresql@17"]],
        };
        let sudo: &[&str] = match run_as {
            // Homebrew refuses root.
            _ if self == Self::Brew => &[],
            RunAs::Root => &[],
            RunAs::Sudo => &["sudo"],
            RunAs::SudoWithoutAsking => &["sudo", "-n"],
        };
        commands.iter().map(|words| sudo.iter().chain(*words).map(|word| (*word).to_owned()).collect()).collect()
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AptGet => "apt-get",
            Self::Dnf => "dnf",
            Self::Apk => "apk",
            Self::Pacman => "pacman",
            Self::Brew => "brew",
        })
    }
}

/// The command as a shell takes it.
fn shell_line(words: &[String]) -> String {
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

fn unknown_system() -> String {
    let known = MANAGERS.map(|manager| manager.to_string()).join(", ");
    format!("none of {known} is on PATH: install PostgreSQL, version 13 or newer, by hand")
}

fn manager(path: Option<&OsStr>) -> Option<Manager> {
    MANAGERS.into_iter().find(|manager| on_path(path, &manager.to_string()).is_some())
}

fn run_as(manager: Manager, path: Option<&OsStr>) -> Result<RunAs, String> {
    let root = geteuid().is_root();
    match manager {
        Manager::Brew if root => Err("Homebrew refuses root: run `brew install postgresql@17` as its owner".to_owned()),
        _ if root => Ok(RunAs::Root),
        Manager::Brew => Ok(RunAs::SudoWithoutAsking),
        _ if on_path(path, "sudo").is_none() => {
            let commands = manager.commands(RunAs::Root);
            let last = commands.last().map(|words| shell_line(words)).unwrap_or_default();
            Err(format!("we are not root, and there is no sudo: let an administrator run `{last}`"))
        }
        _ if io::stdin().is_terminal() => Ok(RunAs::Sudo),
        _ => Ok(RunAs::SudoWithoutAsking),
    }
}

fn on_path(path: Option<&OsStr>, program: &str) -> Option<PathBuf> {
    env::split_paths(path?).map(|directory| directory.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::local::process::write_script;

    fn lines(manager: Manager, run_as: RunAs) -> Vec<String> {
        manager.commands(run_as).iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn every_manager_asks_nothing() {
        assert_eq!(lines(Manager::Dnf, RunAs::Root), ["dnf install -y postgresql-server"]);
        assert_eq!(lines(Manager::Apk, RunAs::SudoWithoutAsking), ["sudo -n apk add --no-cache postgresql"]);
        assert_eq!(lines(Manager::Pacman, RunAs::Sudo), ["sudo pacman -Sy --noconfirm --needed postgresql"]);
        assert_eq!(lines(Manager::Brew, RunAs::Sudo), ["brew install postgresql@17"]);
    }

    /// `dnf` and `sudo` that note how they were called, and end as they are told.
    fn fake_system(status: i32) -> PathBuf {
        let directory = env::temp_dir().join(format!("pg-server-install-{}-{status}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        for name in ["dnf", "sudo"] {
            let calls = directory.join("calls");
            let note = format!("echo \"${{0##*/}} $*\" >> {}", calls.display());
            let text = format!("#!/bin/sh\n{note}\nexit {status}\n");
            write_script(&directory.join(name), &text);
        }
        directory
    }

    #[test]
    fn the_manager_is_run_and_its_failure_named() {
        let mut words = Vec::new();
        for status in [0, 7] {
            let system = fake_system(status);
            let mut said = Vec::new();
            let outcome = install(Some(system.as_os_str()), &mut |line| said.push(line.to_owned()));
            let calls = fs::read_to_string(system.join("calls")).unwrap();
            assert!(calls.contains("dnf install -y postgresql-server"), "{calls}");
            // Where we are not root, it is run by sudo.
            words.push(format!("{status}: {}", said[0].replace("sudo -n ", "")));
            words.extend(outcome.err().map(|error| error.to_string().replace("sudo -n ", "")));
            fs::remove_dir_all(system).unwrap();
        }
        words.push(install(Some(OsStr::new("/nowhere")), &mut |_| {}).unwrap_err().to_string());
        assert_data_eq!(
            words.join("\n"),
            str![[r#"
0: installing PostgreSQL by dnf
7: installing PostgreSQL by dnf
PostgreSQL was not installed
  cause: `dnf install -y postgresql-server` failed (exit status: 7)
PostgreSQL was not installed
  cause: none of apt-get, dnf, apk, pacman, brew is on PATH: install PostgreSQL, version 13 or newer, by hand
"#]]
        );
    }

    #[test]
    fn commands_are_shown_as_a_shell_takes_them() {
        let words = ["sudo", "sh", "-c", "echo 'a' > b"].map(str::to_owned);
        assert_eq!(shell_line(&words), r"sudo sh -c 'echo '\''a'\'' > b'");
    }

    #[test]
    fn debian_makes_no_cluster_of_its_own() {
        let lines = lines(Manager::AptGet, RunAs::SudoWithoutAsking);
        assert_eq!(lines[0], "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get update");
        assert!(lines[1].starts_with("sudo -n env DEBIAN_FRONTEND=noninteractive sh -c"), "{}", lines[1]);
        let forbidden = lines[1].find("create_main_cluster = false").unwrap();
        let installed = lines[1].find("apt-get install -y --no-install-recommends postgresql").unwrap();
        assert!(forbidden < installed);
    }
}
