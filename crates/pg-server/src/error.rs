//! Why the server does not start, each time with what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use pg_config::{ConnectError, further_lines_quoted, in_one_line};
use thiserror::Error;

use crate::{EngineError, shell_word};

/// What went wrong with a server, or with the directory that keeps servers. Below the sentence: the cause, and what to do.
#[derive(Debug, Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {what} {}\n  cause: {source}{}", path.display(), next_step(source, path))]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// The operating system's words.
        source: io::Error,
    },
    /// PostgreSQL could not work with this path.
    #[error(
        "{path:?} cannot be a data directory\n  cause: the path holds a line break, or is not UTF-8\n  help: set DB_DATA_DIR to another path"
    )]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// The path is a symbolic link to nothing.
    #[error("{} is a symbolic link to {}, which is not there\n  help: make that directory, or delete the link\n  help: or set DB_DATA_DIR to another directory", path.display(), target.display())]
    Dangling {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// The directory looks like one of ours, and what says so is gone.
    #[error("{} is missing\n  note: without it nothing in its directory is used or deleted\n  help: if the directory is this tool's, run: touch {}\n  help: or set DB_DATA_DIR to another directory", marker.display(), shell_word(&marker.display().to_string()))]
    Unmarked {
        /// The file that marks our directories.
        marker: PathBuf,
    },
    /// Other users have rights that would let them read our secrets or replace our files.
    #[error("other users may {right} {} (mode {mode:04o})\n  help: chmod {change} {}", path.display(), shell_word(&path.display().to_string()))]
    TooOpen {
        /// The file or directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What they may do.
        right: &'static str,
        /// The argument of `chmod` that takes it from them.
        change: &'static str,
    },
    /// The directory holds somebody's files.
    #[error("{} is not empty, and this tool did not make it\n  note: nothing in it was touched\n  help: set DB_DATA_DIR to a new or an empty directory", path.display())]
    NotOurs {
        /// The directory.
        path: PathBuf,
    },
    /// The directory is another user's.
    #[error("{} belongs to the user with the id {owner}, and this process runs as {us}\n  help: run as that user, or set DB_DATA_DIR to another directory", path.display())]
    OtherOwner {
        /// The directory.
        path: PathBuf,
        /// Its owner's user id.
        owner: u32,
        /// Our effective user id.
        us: u32,
    },
    /// We are root, and there is nobody to run a server as.
    #[error(
        "PostgreSQL refuses to run as root, and there is no other user that it could run as\n  help: make the user `postgres`, or run as another user"
    )]
    NoUnprivilegedUser,
    /// We are root, and the unprivileged user does not get to the files.
    #[error("the server's user {user} cannot reach {}\n  cause: it may not enter {} (mode {mode:04o})\n  help: chmod o+x {}\n  help: or choose another path: DB_DATA_DIR for the data, PG_BIN_DIR for the binaries", path.display(), directory.display(), shell_word(&directory.display().to_string()))]
    Untraversable {
        /// The unprivileged user.
        user: String,
        /// What must be reached.
        path: PathBuf,
        /// The directory that is in the way.
        directory: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// We are root, and the unprivileged user could put other files in the place of ours.
    #[error("the server's user {user} may replace what is in {} (mode {mode:04o})\n  cause: root would then work on other files in the place of {}\n  help: chown root {0} && chmod go-w {0}\n  help: or set DB_DATA_DIR to another path", shell_word(&directory.display().to_string()), path.display())]
    Replaceable {
        /// The unprivileged user.
        user: String,
        /// What must stay in its place.
        path: PathBuf,
        /// The directory that the user may write.
        directory: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Another process is at work in the directory.
    #[error("{holder} has held {} for more than {:.1} s\n  help: wait for its end, or give more seconds: --wait SECONDS", path.display(), waited.as_secs_f64())]
    Locked {
        /// The lock's file.
        path: PathBuf,
        /// Who holds it, as far as is known.
        holder: String,
        /// How long we waited.
        waited: Duration,
    },
    /// `PG_BIN_DIR` was given and does not serve.
    #[error("PG_BIN_DIR is {}, and {reason}\n  help: unset it, or set it to the directory of `initdb` and `postgres`, version 13 or newer", directory.display())]
    BinDir {
        /// What was given.
        directory: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No installed server was found.
    #[error("no PostgreSQL server, version 13 or newer, is installed\n  cause: {looked}")]
    NoBinaries {
        /// Where was looked, and what was found there.
        looked: String,
    },
    /// The data of this workspace are of a version that the server at hand cannot read.
    #[error("{0}")]
    OtherData(String),
    /// `initdb` failed.
    #[error("`{command}` made no cluster ({status})\n{output}{}", next_step_after(output))]
    Initdb {
        /// The command line.
        command: String,
        /// Its exit status, or that it took too long.
        status: String,
        /// The end of its output.
        output: String,
    },
    /// A program could not be run at all.
    #[error("cannot run {}\n  cause: {source}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// The operating system's words.
        source: io::Error,
    },
    /// A server that was started ended instead of serving.
    #[error("{server} ended ({status})\n  note: the end of its log{}:\n{tail}\n  help: fix what the log names\n  help: or delete the server, and its data: cargo xtask db-stop --purge", named(log.as_deref()))]
    Exited {
        /// `the server of …`.
        server: String,
        /// The exit status.
        status: String,
        /// The log's file, where there is one.
        log: Option<PathBuf>,
        /// The end of the log.
        tail: String,
    },
    /// A server that was started runs, and does not serve in time.
    #[error("{server} was not ready after {:.1} s\n  cause: {seen}\n  note: it goes on starting; the end of its log{}:\n{tail}\n  help: give more seconds: --wait SECONDS", waited.as_secs_f64(), named(log.as_deref()))]
    NotReady {
        /// `the server of …`.
        server: String,
        /// How long we waited.
        waited: Duration,
        /// What was last seen of it.
        seen: String,
        /// The log's file, where there is one.
        log: Option<PathBuf>,
        /// The end of the log.
        tail: String,
    },
    /// The server runs and does not let its superuser in.
    #[error(
        "{server} refuses its superuser\n  cause: {words}\n  help: {next}\n  help: or delete the server, and its data: cargo xtask db-stop --purge"
    )]
    Refused {
        /// `the server of …`.
        server: String,
        /// What was said.
        words: String,
        /// What to do.
        next: String,
    },
    /// Nothing is known that the server accepts as its superuser's password.
    #[error("the superuser's password of the cluster in {} is lost\n  cause: {words}\n  help: restart the server, and give the superuser a new password: cargo xtask db-setup", data.display())]
    PasswordLost {
        /// The cluster's data directory.
        data: PathBuf,
        /// How it was told.
        words: String,
    },
    /// The superuser's password is lost, and could not be changed.
    #[error("the superuser's password of the cluster in {} is lost, and could not be changed ({status})\n  note: the end of the log {}:\n{tail}\n  help: fix what the log names\n  help: or delete the cluster, and its data: cargo xtask db-stop --purge", data.display(), log.display())]
    NoNewPassword {
        /// The cluster's data directory.
        data: PathBuf,
        /// How `postgres --single` ended.
        status: String,
        /// The log's file.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// The server runs, and gives nobody a session.
    #[error("{error}\n  note: its log is {}\n  note: its data are in {}\n  help: stop it: cargo xtask db-stop\n  help: delete it, and its data: cargo xtask db-stop --purge", log.display(), data.display())]
    Unable {
        /// What the server said.
        error: Box<ConnectError>,
        /// The server's data directory.
        data: PathBuf,
        /// The log's file.
        log: PathBuf,
    },
    /// What answers at the server's port is another program.
    #[error(
        "another program answers at the port of {server}\n  cause: {words}\n  help: take another port: cargo xtask db-stop && cargo xtask db-setup"
    )]
    Foreign {
        /// `the server of …`.
        server: String,
        /// How it was told.
        words: String,
    },
    /// The server does not end.
    #[error("the server with the process id {pid} still runs {:.1} s after SIGINT and SIGQUIT\n  help: look at it: ps -fp {pid}", waited.as_secs_f64())]
    StillRuns {
        /// The process id.
        pid: u32,
        /// How long we waited.
        waited: Duration,
    },
    /// No engine answers, or it does not have the image and cannot get it.
    #[error(transparent)]
    NoEngine(#[from] EngineError),
    /// The helper program could not be built or run, or did not answer as it should.
    #[error("the program that speaks to the container engine {0}")]
    Helper(String),
    /// The engine refused what was asked of it.
    #[error("the container engine refused the container {name}\n  cause: {}", further_lines_quoted(said))]
    EngineRefused {
        /// The container.
        name: String,
        /// The engine's words.
        said: String,
    },
    /// A container that did not come up could not be removed either.
    #[error("{first}\n  note: the container {name} is left: {}", in_one_line(&then.to_string()))]
    NotRemoved {
        /// The container.
        name: String,
        /// Why it gave no server.
        first: Box<Self>,
        /// Why it is there still.
        then: Box<Self>,
    },
    /// What is kept of a container cannot be read.
    #[error("{} is not a valid record of a container\n  note: without the file, the record is written again, and the password next to it and the kept data are used\n  help: delete that file, and run with the settings that it had: cargo xtask db-setup", file.display())]
    Record {
        /// The record's file.
        file: PathBuf,
    },
    /// A container that must not run may run.
    #[error("the container {name} of this workspace may still run\n  cause: {error}")]
    Unasked {
        /// The container.
        name: String,
        /// Why its engine does not say.
        error: EngineError,
    },
    /// A throw-away server goes with whoever uses it, and with nobody else.
    #[error("{holder} uses the throw-away server in {}; nothing was deleted\n  help: wait for its end, or end it", directory.display())]
    InUse {
        /// The server's directory.
        directory: PathBuf,
        /// Who uses it, as far as is known.
        holder: String,
    },
    /// A container that must go cannot be reached.
    #[error("the container {name} of this workspace cannot be removed; nothing was deleted\n  cause: {error}\n  help: or forget it, with the password of its data, which stay in the volume {volume}: rm -r {}", shell_word(&record.display().to_string()))]
    Left {
        /// The container.
        name: String,
        /// The directory of its record.
        record: PathBuf,
        /// The volume of its data.
        volume: String,
        /// Why its engine does not answer.
        error: String,
    },
    /// A throw-away server was ended before it was started: by a signal.
    #[error("the throw-away server was ended before it was started")]
    Ended,
    /// PostgreSQL could not be installed.
    #[error("PostgreSQL was not installed\n  cause: {0}")]
    Install(String),
}

/// For a message: ` /path/of/the/log`.
fn named(log: Option<&Path>) -> String {
    log.map(|log| format!(" {}", log.display())).unwrap_or_default()
}

/// What to do about an error of the operating system, where its kind says that.
fn next_step(error: &io::Error, path: &Path) -> String {
    let step = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => NO_SPACE,
        io::ErrorKind::ReadOnlyFilesystem => "set DB_DATA_DIR to a directory that can be written",
        io::ErrorKind::NotADirectory => {
            "a file is where a directory must be: move it away\n  help: or set DB_DATA_DIR to another directory"
        }
        io::ErrorKind::IsADirectory => "a directory is where a file must be: move it away",
        io::ErrorKind::InvalidData => "it is not text: move it away",
        io::ErrorKind::PermissionDenied => {
            return format!(
                "\n  help: see its owner and mode: ls -ld {}\n  help: or set DB_DATA_DIR to another directory",
                shell_word(&path.display().to_string())
            );
        }
        _ => return String::new(),
    };
    format!("\n  help: {step}")
}

const NO_SPACE: &str = "free space on that disk\n  help: or set DB_DATA_DIR to a directory on another disk";

/// What to do where a program of PostgreSQL found no space.
fn next_step_after(output: &str) -> String {
    if ["No space left on device", "Check free disk space"].iter().any(|words| output.contains(words)) {
        format!("\n  help: {NO_SPACE}")
    } else {
        String::new()
    }
}

impl Error {
    /// For `map_err` after an operation on a file.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }

    /// Whether the next rung may serve instead of a container: there is nothing yet that could be missed.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::NoEngine(_) | Self::Helper(_) | Self::EngineRefused { .. })
    }
}
