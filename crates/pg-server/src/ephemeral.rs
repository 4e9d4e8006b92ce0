//! A server that goes with the command that asked for it: on success, failure and a signal; and if even that failed,
//! with the next command of the same workspace.
//!
//! ```text
//! ephemeral/0123456789ab/
//!     lock                               held by the process whose server this is, for as long as it lives
//!     cluster/                           a cluster, as in `clusters`
//!     aura-ephemeral-0123456789ab/       or the record of a container, as in `containers`
//! ```

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pg_config::random_id;

use crate::{
    Error, NoServer, Request, Rung, Say, Server, Throwaway,
    container::{ContainerRecord, Helper, OpenEngine},
    data_dir::DataDir,
    files::{make_directory, remove_tree, unfinished},
    ladder::{self, Starts},
    local,
    lock::{self, Lock},
    sweep::{CLUSTER, LOCK},
    template, throwaway,
};

/// A place for one server, which is this process's; and the server, once it is started.
///
/// Its end (or drop) ends the server, from whatever thread: a signal's handler waits for a start that is under way.
#[derive(Debug)]
pub struct Ephemeral {
    directory: PathBuf,
    state: Mutex<State>,
    _lock: Lock,
}

#[derive(Debug)]
enum State {
    /// Nothing is started yet.
    Claimed,
    Cluster(Box<Throwaway>),
    Container(ContainerRecord, Helper),
    /// Nothing may be started any more.
    Ended,
}

impl Ephemeral {
    /// Claims a place for a server; starts nothing.
    pub fn claim(data_dir: &Path, wait: Duration) -> Result<Self, NoServer> {
        Self::try_claim(data_dir, wait).map_err(|error| NoServer::because(Vec::new(), Rung::Local, error))
    }

    fn try_claim(data_dir: &Path, wait: Duration) -> Result<Self, Error> {
        let (data_dir, _data_dir_lock) = DataDir::make(data_dir, wait)?;
        // Of the workspace's own random bits: another machine may use the same container engine.
        let directory = data_dir.ephemeral().join(&random_id()[..12]);
        // Whoever sweeps sees it locked, or not at all.
        let draft = unfinished(&data_dir.ephemeral());
        make_directory(&draft, data_dir.account.passage_mode())?;
        let lock = lock::acquire(&draft.join(LOCK), Duration::ZERO)?;
        fs::rename(&draft, &directory).map_err(Error::io("make the directory", &directory))?;
        Ok(Self { directory, state: Mutex::new(State::Claimed), _lock: lock })
    }

    /// Starts the server on the first rung of the ladder that can: a container, then installed binaries. A server
    /// that is named or that runs already may not be thrown away, and is not looked at.
    pub fn start(&self, request: &Request<'_>, say: Say<'_>) -> Result<Server, NoServer> {
        ladder::start(request, &EphemeralStarts { ephemeral: self, request }, say)
    }

    /// Ends the server with its data. Nothing started, or ended before: fine.
    pub fn end(&self) -> Result<(), Error> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Ended) {
            State::Container(kept, helper) => {
                if let Err(error) = helper.remove(&kept) {
                    // Its record stays, for the next end and for the next command.
                    *state = State::Container(kept, helper);
                    return Err(error);
                }
            }
            State::Cluster(server) => {
                if let Err(error) = server.end() {
                    // Its files stay: they are what the next end, and the next command, find it by.
                    *state = State::Cluster(server);
                    return Err(error);
                }
            }
            State::Claimed | State::Ended => {}
        }
        remove_tree(&self.directory)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place, in which nothing is started yet; held until something is.
    fn claimed(&self) -> Result<MutexGuard<'_, State>, Error> {
        let state = self.state();
        if matches!(*state, State::Claimed) { Ok(state) } else { Err(Error::Ended) }
    }
}

impl Drop for Ephemeral {
    fn drop(&mut self) {
        // What is left then is swept by the next command; so is a start that a panic has cut off: nobody knows what
        // is there.
        if !self.state.is_poisoned() {
            let _ = self.end();
        }
    }
}

/// How a rung starts a server that goes with this one.
struct EphemeralStarts<'a> {
    ephemeral: &'a Ephemeral,
    request: &'a Request<'a>,
}

impl Starts for EphemeralStarts<'_> {
    fn container(&self, engine: OpenEngine<'_>, say: Say<'_>) -> Result<Server, Error> {
        let mut state = self.ephemeral.claimed()?;
        let id = self.ephemeral.directory.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{}-ephemeral-{id}", self.request.containers.project);
        let kept = engine.passing(self.ephemeral.directory.join(name))?;
        let outcome = engine.start(kept.clone(), self.request.wait, say);
        let helper = engine.into_helper();
        let found = match outcome {
            Ok(found) => found,
            Err(error) => {
                // What did not come up must go, so that another rung may serve.
                if let Err(then) = helper.remove(&kept) {
                    let name = kept.name().to_owned();
                    *state = State::Container(kept, helper);
                    return Err(Error::NotRemoved { name, first: Box::new(error), then: Box::new(then) });
                }
                remove_tree(kept.directory())?;
                return Err(error);
            }
        };
        *state = State::Container(kept, helper);
        let reason = format!("a throw-away container of {}", found.kept.image);
        Ok(Server { reason, ..Server::in_container(found) })
    }

    fn local(&self, say: Say<'_>) -> Result<Server, Error> {
        let Request { data_dir, bin_dir, path, wait, .. } = *self.request;
        let binaries = local::binaries(bin_dir, path)?;
        let template = template(data_dir, &binaries, wait, say)?;
        let mut state = self.ephemeral.claimed()?;
        let directory = self.ephemeral.directory.join(CLUSTER);
        let server = throwaway(&template, &binaries, &directory, &[], wait, say)?;
        let reason = format!("a throw-away cluster, by the installed binaries in {}", binaries.directory.display());
        let found = Server::throwaway(&server, reason);
        *state = State::Cluster(Box::new(server));
        Ok(found)
    }
}
