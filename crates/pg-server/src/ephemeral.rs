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

use pg_config::{IdleSession, Password};

use crate::{
    Binaries, ContainerError, Containers, Local, LocalError, NoServer, Request, Say, Server, Source, Throwaway,
    container::{Helper, Kept, Workshop},
    data_dir::{DataDir, listed, make_directory, remove_tree, unfinished},
    engine::Engine,
    ladder::{self, Rungs},
    local,
    local::{cluster::Cluster, template, throwaway::throwaway, user::Account},
    lock::{self, Lock},
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
    Container(Kept, Helper),
    /// Nothing may be started any more.
    Ended,
}

impl Ephemeral {
    /// Claims a place for a server; starts nothing.
    pub fn claim(data_dir: &Path, wait: Duration) -> Result<Self, NoServer> {
        Self::try_claim(data_dir, wait).map_err(|error| ladder::failed(Vec::new(), error))
    }

    fn try_claim(data_dir: &Path, wait: Duration) -> Result<Self, LocalError> {
        let (data_dir, _data_dir_lock) = DataDir::make(data_dir, wait)?;
        // Of the workspace's own random bits: another machine may use the same container engine.
        let id: String = Password::generate().reveal().chars().take(12).collect();
        let directory = data_dir.ephemeral().join(id);
        // Whoever sweeps sees it locked, or not at all.
        let draft = unfinished(&data_dir.ephemeral());
        make_directory(&draft, data_dir.account.passage_mode())?;
        let lock = lock::acquire(&draft.join(LOCK), Duration::ZERO)?;
        fs::rename(&draft, &directory).map_err(LocalError::io("make the directory", &directory))?;
        Ok(Self { directory, state: Mutex::new(State::Claimed), _lock: lock })
    }

    /// Starts the server on the first rung of the ladder that can: a container, then installed binaries. A server
    /// that is named or that runs already is nobody's to throw away, and is not looked at.
    pub fn start(&self, request: &Request<'_>, say: Say<'_>) -> Result<Server, NoServer> {
        let rungs = Rungs {
            left: None,
            container: &|workshop, say| self.start_container(workshop, request, say),
            local: &|say| self.start_cluster(request, say),
        };
        ladder::climb(request, Vec::new(), &rungs, say)
    }

    /// Ends the server with its data. Nothing started, or ended before: fine.
    pub fn end(&self) -> Result<(), LocalError> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Ended) {
            State::Container(kept, helper) => {
                if let Err(error) = helper.remove(&kept) {
                    // Its record stays, for the next end and for the next command.
                    *state = State::Container(kept, helper);
                    return Err(error.into());
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

    fn start_container(
        &self,
        workshop: Workshop<'_>,
        request: &Request<'_>,
        say: Say<'_>,
    ) -> Result<Server, ContainerError> {
        let mut state = self.claimed()?;
        let id = self.directory.file_name().unwrap_or_default().to_string_lossy();
        let directory = self.directory.join(format!("{}-ephemeral-{id}", request.containers.project));
        let kept = workshop.passing(directory)?;
        let outcome = workshop.start(kept.clone(), request.wait, say);
        let helper = workshop.into_helper();
        let found = match outcome {
            Ok(found) => found,
            Err(error) => {
                // What did not come up must go, so that another rung may serve.
                if let Err(then) = helper.remove(&kept) {
                    let name = kept.name().to_owned();
                    *state = State::Container(kept, helper);
                    return Err(ContainerError::NotRemoved { name, first: Box::new(error), then: Box::new(then) });
                }
                remove_tree(kept.directory())?;
                return Err(error);
            }
        };
        *state = State::Container(kept, helper);
        Ok(Server {
            started_now: true,
            reason: format!("a throw-away container of {}", found.container().image),
            ..ladder::in_container(found)
        })
    }

    fn start_cluster(&self, request: &Request<'_>, say: Say<'_>) -> Result<Server, LocalError> {
        let binaries: Binaries = local::binaries(request.bin_dir, request.path)?;
        let template = template::template(request.data_dir, &binaries, request.wait, say)?;
        let mut state = self.claimed()?;
        let directory = self.directory.join(CLUSTER);
        let server = throwaway(&template, &binaries, &directory, &[], request.wait, say)?;
        let local: Local = server.local.clone();
        let superuser = server.superuser.clone();
        *state = State::Cluster(Box::new(server));
        Ok(Server {
            source: Source::Local,
            host: superuser.host.clone(),
            port: superuser.port,
            superuser: Some(superuser),
            session: IdleSession::default(),
            started_now: true,
            reason: format!("a throw-away cluster, by the installed binaries in {}", binaries.directory.display()),
            skipped: Vec::new(),
            local: Some(local),
            container: None,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place, in which nothing is started yet; held until something is.
    fn claimed(&self) -> Result<MutexGuard<'_, State>, LocalError> {
        let state = self.state();
        if matches!(*state, State::Claimed) { Ok(state) } else { Err(LocalError::Ended) }
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

const LOCK: &str = "lock";
const CLUSTER: &str = "cluster";

/// Ends the servers whose process has ended without ending them. What cannot be ended now is left for the next time,
/// as is one that is in use: why the first of them is there still.
pub(crate) fn sweep(
    data_dir: &DataDir,
    containers: &Containers<'_>,
    say: Say<'_>,
) -> Result<Option<LocalError>, LocalError> {
    let mut left = None;
    for directory in data_dir.ephemeral_directories()? {
        let ended = match lock::acquire(&directory.join(LOCK), Duration::ZERO) {
            Ok(_lock) => match end_orphan(&directory, containers, say) {
                Ok(()) => {
                    remove_tree(&directory)?;
                    continue;
                }
                Err(error) => {
                    say(&format!("a throw-away server of an earlier run is left: {error}"));
                    error
                }
            },
            Err(LocalError::Locked { holder, .. }) => LocalError::InUse { directory, holder },
            // It has ended meanwhile.
            Err(_) if !directory.exists() => continue,
            Err(error) => error,
        };
        left = left.or(Some(ended));
    }
    Ok(left)
}

fn end_orphan(directory: &Path, containers: &Containers<'_>, say: Say<'_>) -> Result<(), LocalError> {
    let cluster = directory.join(CLUSTER);
    if cluster.exists() {
        let account = Account::choose()?.of(&cluster.join("data"));
        if let Some(pid) = Cluster::at(cluster, account).quit()? {
            say(&format!("ended a throw-away server that an earlier run has left, process {pid}"));
        }
    }
    for found in listed(directory)? {
        let Some(kept) = Kept::read(found)? else { continue };
        let engine = Engine::at(&kept.engine, containers.engine).map_err(ContainerError::from)?;
        let helper = Helper::build(containers.helper, &engine, containers.engine, say)?;
        if helper.remove(&kept)? {
            say(&format!("removed the throw-away container {} that an earlier run has left", kept.name()));
        }
    }
    Ok(())
}
