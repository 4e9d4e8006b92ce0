//! One cluster: its directory, whether its server runs, and stopping it (starting: `start`).
//!
//! ```text
//! data/                    the data directory, the server's user's (0700)
//! password                 0600: the superuser's
//! run/                     the Unix socket, where its path is short enough
//! port                     the port of the last start
//! binaries                 the directory, version and stamp of the programs of the last start
//! log  log.previous        what `postgres` wrote (0600)
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use pg_config::{ConnectError, Durability};

use super::{
    pidfile::{self, PidFile},
    process::{self, Holder},
    server_dir::ServerDir,
    user::Account,
};
use crate::{
    Binaries, Error,
    files::write,
    login::{self, LoggedIn},
    password, poll,
};

/// A cluster's directory, whether or not anything is in it.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    directory: PathBuf,
    account: Account,
}

/// A server that let us in.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) pid: u32,
    pub(crate) socket_dir: Option<PathBuf>,
    pub(crate) login: LoggedIn,
}

impl Running {
    /// What it was started for.
    pub(crate) fn durability(&self) -> Durability {
        if self.login.fsync { Durability::Durable } else { Durability::Development }
    }
}

/// One look at a cluster.
#[derive(Debug)]
pub(crate) enum Seen {
    /// No server, and nothing in the way of one.
    Stopped,
    /// No server, but a pid file in its way: what it says.
    Stale(String),
    /// A server that lets nobody in yet, or nobody any more; with its words, where it said why.
    Busy(Option<ConnectError>),
    /// A server that answered our query.
    Ready(Box<Running>),
}

/// `PG_CONTROL_FILE_SIZE` (`src/include/catalog/pg_control.h`): written whole, padded with zeros.
const CONTROL_FILE_SIZE: usize = 8192;

/// SIGQUIT ends a server in 4 ms.
const QUIT_LIMIT: Duration = Duration::from_secs(5);

impl Cluster {
    pub(crate) fn at(directory: PathBuf, account: Account) -> Self {
        Self { directory, account }
    }

    pub(crate) fn name(&self) -> &str {
        self.directory.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    pub(crate) fn run_directory(&self) -> PathBuf {
        self.directory.join("run")
    }

    fn port_file(&self) -> PathBuf {
        self.directory.join("port")
    }

    fn binaries_file(&self) -> PathBuf {
        self.directory.join("binaries")
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.directory.join("password")
    }

    /// The port of the last start.
    pub(crate) fn kept_port(&self) -> Option<u16> {
        fs::read_to_string(self.port_file()).ok()?.trim().parse().ok()
    }

    /// The directory of the programs of the last start, whether or not they are still there.
    pub(crate) fn bin_dir(&self) -> Option<PathBuf> {
        fs::read_to_string(self.binaries_file()).ok()?.lines().next().map(PathBuf::from)
    }

    /// The programs of the last start, if those of this cluster's version are still installed there.
    pub(crate) fn binaries(&self) -> Option<Binaries> {
        let recorded = Binaries::recorded(&fs::read_to_string(self.binaries_file()).ok()?);
        // Of another stamp: a minor release was installed over it, or another version.
        let binaries = recorded.or_else(|| Binaries::named(&self.bin_dir()?).ok())?;
        (binaries.version.cluster_name() == self.name()).then_some(binaries)
    }

    /// What a cluster needs to start and this one lacks; `None` where it has it. A file that cannot be
    /// looked at is an error: nobody knows then what is there.
    pub(crate) fn missing(&self) -> Result<Option<String>, Error> {
        for (name, size) in [("PG_VERSION", 1), ("global/pg_control", CONTROL_FILE_SIZE)] {
            let data = self.data();
            let content = ServerDir::open(&data).and_then(|data| data.read(name.as_ref(), CONTROL_FILE_SIZE));
            let lack = match content {
                Ok(bytes) if bytes.iter().all(|byte| *byte == 0) => "is empty",
                Ok(bytes) if bytes.len() < size => "is cut off",
                Ok(_) => continue,
                Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
                    "is missing"
                }
                Err(error) => return Err(Error::io("read", &data.join(name))(error)),
            };
            return Ok(Some(format!("data/{name} {lack}")));
        }
        Ok(None)
    }

    /// Looks once, without waiting and without changing anything.
    pub(crate) fn look(&self) -> Result<Seen, Error> {
        let data = self.data();
        let written = match pidfile::read(&data).map_err(Error::io("read postmaster.pid in", &data))? {
            pidfile::Found::Nothing => return Ok(Seen::Stopped),
            pidfile::Found::Broken => return Ok(Seen::Stale("it is garbled".to_owned())),
            pidfile::Found::Written(written) => written,
        };
        match self.holder(written.pid) {
            Holder::Postmaster => {}
            // PostgreSQL deals with this one itself, and looks for what the dead server left behind.
            Holder::Nothing => return Ok(Seen::Stopped),
            Holder::Foreign => {
                return Ok(Seen::Stale(format!("its process {} is no server of this directory", written.pid)));
            }
        }
        let Some(port) = written.port.filter(|_| written.ready) else { return Ok(Seen::Busy(None)) };
        self.log_in(&written, port)
    }

    /// Ends the server, if it runs, and gives its process id. The lock is held by the caller.
    ///
    /// SIGINT rolls open transactions back and writes everything out; a server that has not ended when
    /// `wait` is over gets SIGQUIT, and recovers when it is started again.
    pub(crate) fn stop(&self, wait: Duration) -> Result<Option<u32>, Error> {
        self.end(&[(Signal::SIGINT, wait), (Signal::SIGQUIT, QUIT_LIMIT)])
    }

    /// Ends a server whose data nobody wants.
    pub(crate) fn quit(&self) -> Result<Option<u32>, Error> {
        self.end(&[(Signal::SIGQUIT, QUIT_LIMIT)])
    }

    fn end(&self, signals: &[(Signal, Duration)]) -> Result<Option<u32>, Error> {
        let Some(pid) = self.postmaster()? else { return Ok(None) };
        for (signal, wait) in signals {
            // Looked at a moment before: the id may be another process's once the server has ended.
            process::send(pid, *signal);
            let ended = poll::until(Instant::now() + *wait, || {
                process::collect(pid);
                (self.holder(pid) != Holder::Postmaster).then_some(())
            });
            if ended.is_some() {
                return Ok(Some(pid));
            }
        }
        Err(Error::StillRuns { pid, waited: signals.iter().map(|(_, wait)| *wait).sum() })
    }

    /// The process id of the server, whatever state it is in.
    pub(crate) fn postmaster(&self) -> Result<Option<u32>, Error> {
        let data = self.data();
        let found = pidfile::read(&data).map_err(Error::io("read postmaster.pid in", &data))?;
        Ok(match found {
            pidfile::Found::Written(written) if self.holder(written.pid) == Holder::Postmaster => Some(written.pid),
            _ => None,
        })
    }

    /// What runs under a process id that our pid file names.
    fn holder(&self, pid: u32) -> Holder {
        process::holder(pid, &self.data(), self.account.uid())
    }

    /// Notes the port and the programs of a start that went well.
    pub(crate) fn keep(&self, port: u16, binaries: &Binaries) -> Result<(), Error> {
        write(&self.port_file(), &port.to_string())?;
        write(&self.binaries_file(), &binaries.record())
    }

    /// For messages.
    pub(crate) fn server(&self) -> String {
        format!("the server of {}", self.data().display())
    }

    /// The error of a server that runs, and gives nobody a session.
    pub(crate) fn unable(&self, error: ConnectError) -> Error {
        Error::Unable { error: Box::new(error), data: self.data(), log: self.log() }
    }

    /// Logs in, and makes sure that it is this very server.
    fn log_in(&self, written: &PidFile, port: u16) -> Result<Seen, Error> {
        let data = self.data();
        let refused = |words: String| {
            let next = format!("see {} and {}", data.join("pg_hba.conf").display(), self.log().display());
            Error::Refused { server: self.server(), words, next }
        };
        let lost = |words: String| Error::PasswordLost { data: self.data(), words };
        let file = self.password_file();
        let password =
            password::read(&file)?.ok_or_else(|| lost(format!("{} is missing or garbled", file.display())))?;
        let login = match login::log_in("127.0.0.1", port, password) {
            Ok(Some(login)) => login,
            Ok(None) => return Ok(Seen::Busy(None)),
            Err(ConnectError::Refused { error, .. }) if !error.code().code().starts_with("57P") => {
                let words = format!("{} ({})", error.message(), error.code().code());
                return Err(if error.code().code() == "28P01" { lost(words) } else { refused(words) });
            }
            Err(error @ ConnectError::Login { .. }) => {
                return Err(Error::Foreign { server: self.server(), words: error.in_one_line() });
            }
            Err(error) if error.is_damage() => return Err(self.unable(error)),
            Err(error @ ConnectError::Unable { .. }) => return Ok(Seen::Busy(Some(error))),
            Err(_) => return Ok(Seen::Busy(None)),
        };
        if fs::canonicalize(&login.data_directory).ok() != Some(self.data()) {
            let directory = login.data_directory;
            return Err(refused(format!("on port {port} another server answers, that of {directory}")));
        }
        Ok(Seen::Ready(Box::new(Running { pid: written.pid, socket_dir: written.socket_dir.clone(), login })))
    }
}
