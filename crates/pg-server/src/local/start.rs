//! Starting a cluster's server, in milliseconds, whatever an earlier one left behind.

use std::{
    io,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use pg_config::{ConnectError, Durability};

use super::{
    cluster::{Cluster, Running, Seen},
    launch, log, pidfile, port,
};
use crate::{
    Binaries, Error, Say,
    files::{make_directory, remove_tree},
    poll,
};

/// How far a start has come.
struct Attempt<'a> {
    cluster: &'a Cluster,
    binaries: &'a Binaries,
    durability: Durability,
    extra: &'a [(&'a str, &'a str)],
    /// The process that we wait for.
    child: Option<Child>,
    /// The port that it was given.
    port: Option<u16>,
    /// Ports that another process took between our look and the server's.
    refused: Vec<u16>,
    /// What we wait for, for the error.
    seen: &'static str,
    /// Why the server gives nobody a session, where it said so.
    unable: Option<ConnectError>,
}

/// The running server of this cluster, started where it does not run yet. The lock is held by the caller.
///
/// `extra` settings win over ours. `wait` bounds the whole.
pub(crate) fn start(
    cluster: &Cluster,
    binaries: &Binaries,
    durability: Durability,
    extra: &[(&str, &str)],
    wait: Duration,
    say: Say<'_>,
) -> Result<Running, Error> {
    // Judged before anything is tried: `postgres` would only say "Permission denied".
    cluster.account().check_program(&binaries.program("postgres"))?;
    cluster.account().check_passage(&cluster.data())?;
    log::rotate(&cluster.log());
    let mut attempt = Attempt {
        cluster,
        binaries,
        durability,
        extra,
        child: None,
        port: None,
        refused: Vec::new(),
        seen: "nothing happened",
        unable: None,
    };
    let running = poll::until(Instant::now() + wait, || attempt.step(say).transpose()).unwrap_or_else(|| {
        if let Some(error) = attempt.unable.take() {
            return Err(cluster.unable(error));
        }
        let log = cluster.log();
        let tail = log::tail(&log);
        Err(Error::NotReady {
            server: cluster.server(),
            waited: wait,
            seen: attempt.seen.to_owned(),
            log: Some(log),
            tail,
        })
    })?;
    if let Some(mut child) = attempt.child.take() {
        // A process that ended is kept until its parent asks. One that starts many servers would fill the table.
        thread::spawn(move || child.wait());
    }
    cluster.keep(running.login.superuser.port, binaries)?;
    Ok(running)
}

impl Attempt<'_> {
    /// One look, and what follows from it; the server once it lets us in.
    fn step(&mut self, say: Say<'_>) -> Result<Option<Running>, Error> {
        match self.cluster.look()? {
            Seen::Ready(running) => return Ok(Some(*running)),
            Seen::Busy(error) => {
                self.unable = error;
                self.seen = "it runs and accepts no login yet";
                return Ok(None);
            }
            Seen::Stale(what) => {
                let data = self.cluster.data();
                say(&format!("removing a stale postmaster.pid in {}: {what}", data.display()));
                pidfile::remove(&data).map_err(Error::io("remove postmaster.pid in", &data))?;
            }
            Seen::Stopped => {}
        }
        if self.still_comes_up()? {
            return Ok(None);
        }
        self.launch(say)?;
        Ok(None)
    }

    /// Whether our process is on its way. One that ended for a reason that passes is forgotten.
    fn still_comes_up(&mut self) -> Result<bool, Error> {
        let Some(child) = &mut self.child else { return Ok(false) };
        let program = self.binaries.program("postgres");
        let Some(status) = child.try_wait().map_err(|source| Error::Run { program, source })? else {
            self.seen = "it has not begun to listen";
            return Ok(true);
        };
        self.child = None;
        let log = self.cluster.log();
        match passing_reason(&log::end(&log).unwrap_or_default()) {
            Some(Passing::PortTaken) => {
                self.seen = "its port was taken";
                self.refused.extend(self.port.take());
                Ok(false)
            }
            Some(Passing::OldServerEnds) => {
                self.seen = "what a killed server left has not ended yet";
                Ok(false)
            }
            None => {
                let (server, tail) = (self.cluster.server(), log::tail(&log));
                Err(Error::Exited { server, status: status.to_string(), log: Some(log), tail })
            }
        }
    }

    fn launch(&mut self, say: Say<'_>) -> Result<(), Error> {
        let directory = self.cluster.directory();
        let port = port::choose(directory, self.cluster.kept_port(), &self.refused)
            .ok_or_else(|| Error::io("find a free TCP port for", directory)(io::Error::other("none is left")))?;
        if self.port != Some(port) {
            let settings = launch::explained(self.durability);
            say(&format!("starting PostgreSQL {} on 127.0.0.1:{port}{settings}", self.binaries.version));
        }
        self.renew_run_directory()?;
        self.child = Some(launch::launch(self.cluster, self.binaries, port, self.durability, self.extra)?);
        self.port = Some(port);
        Ok(())
    }

    /// A killed server leaves its socket and the socket's lock file, which names a process id: if that
    /// is another process's by now, the next server would refuse to start.
    fn renew_run_directory(&self) -> Result<(), Error> {
        let directory = self.cluster.run_directory();
        remove_tree(&directory)?;
        make_directory(&directory, 0o700)?;
        self.cluster.account().give(&directory).map_err(Error::io("give away", &directory))
    }
}

/// Why a server ended that will come up when it is started again.
#[derive(Debug, PartialEq, Eq)]
enum Passing {
    PortTaken,
    OldServerEnds,
}

/// Told by the log's words (`src/backend/postmaster/postmaster.c`, `utils/init/miscinit.c`,
/// `port/sysv_shmem.c`), which `lc_messages` keeps English.
fn passing_reason(log: &str) -> Option<Passing> {
    if log.contains("could not create any TCP/IP sockets") {
        return Some(Passing::PortTaken);
    }
    ["pre-existing shared memory block", "lock file \"postmaster.pid\""]
        .iter()
        .any(|words| log.contains(words))
        .then_some(Passing::OldServerEnds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_reasons_are_told_by_the_log() {
        for (log, reason) in [
            (
                "LOG:  could not bind IPv4 address\nFATAL:  could not create any TCP/IP sockets",
                Some(Passing::PortTaken),
            ),
            ("FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use", Some(Passing::OldServerEnds)),
            ("FATAL:  lock file \"postmaster.pid\" already exists", Some(Passing::OldServerEnds)),
            ("FATAL:  could not load library \"x\"", None),
        ] {
            assert_eq!(passing_reason(log), reason);
        }
    }
}
