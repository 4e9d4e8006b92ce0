//! The ladder: which rung gives the server, and why the others did not.

mod kept_servers;

use std::time::Duration;

use pg_config::ServerChoice;

use self::kept_servers::KeptServers;
use crate::{
    Error, Mode, NoServer, Request, Rung, Say, Server, Skipped,
    container::{self, ContainerRecord, OpenEngine},
    data_dir::DataDir,
    install,
    local::{self, Search},
    other_data::OtherData,
    sweep::sweep,
};

/// Finds a server, and starts one where the mode allows it.
///
/// A named server is only named: the first login, with its wait, is the caller's. A server that we
/// started has answered a query on its final address.
pub fn find(request: &Request<'_>, say: Say<'_>) -> Result<Server, NoServer> {
    let rungs = [Ladder::named, Ladder::running, Ladder::kept_data, Ladder::swept, Ladder::container, Ladder::local];
    Ladder::new(request, &KeptStarts { request }).climb(&rungs, say)
}

/// Starts a server that goes with the caller, on the first rung that can. A named one, and one that runs already, may
/// not be thrown away: neither is looked at.
pub(crate) fn start(request: &Request<'_>, starts: &dyn Starts, say: Say<'_>) -> Result<Server, NoServer> {
    Ladder::new(request, starts).climb(&[Ladder::swept, Ladder::container, Ladder::local], say)
}

/// How a rung starts its server: one that stays, or one that goes with the caller.
pub(crate) trait Starts {
    fn container(&self, engine: OpenEngine<'_>, say: Say<'_>) -> Result<Server, Error>;
    fn local(&self, say: Say<'_>) -> Result<Server, Error>;
}

/// Servers that stay, and are found again.
struct KeptStarts<'a> {
    request: &'a Request<'a>,
}

impl Starts for KeptStarts<'_> {
    fn container(&self, engine: OpenEngine<'_>, say: Say<'_>) -> Result<Server, Error> {
        let Request { data_dir, durability, wait, .. } = *self.request;
        engine.ensure(data_dir, durability, wait, say).map(Server::in_container)
    }

    fn local(&self, say: Say<'_>) -> Result<Server, Error> {
        local::ensure(self.request, say).map(Server::local)
    }
}

/// A search on its way down the rungs.
struct Ladder<'a> {
    request: Request<'a>,
    starts: &'a dyn Starts,
    /// What the rungs until now have said.
    skipped: Vec<Skipped>,
    stopped: KeptServers,
}

/// A rung: it gives a server, or has said why not, or ends the search.
type Ask<'a> = fn(&mut Ladder<'a>, Say<'_>) -> Result<Option<Server>, End>;

/// Why no further rung is asked.
enum End {
    /// What was said is all.
    Said,
    Failed(Rung, Error),
}

impl<'a> Ladder<'a> {
    fn new(request: &Request<'a>, starts: &'a dyn Starts) -> Self {
        Self { request: request.clone(), starts, skipped: Vec::new(), stopped: KeptServers::default() }
    }

    fn climb(mut self, rungs: &[Ask<'a>], say: Say<'_>) -> Result<Server, NoServer> {
        for rung in rungs {
            match rung(&mut self, say) {
                Ok(Some(server)) => return Ok(Server { skipped: self.skipped, ..server }),
                Ok(None) => {}
                Err(End::Said) => break,
                Err(End::Failed(rung, error)) => return Err(NoServer::because(self.skipped, rung, error)),
            }
        }
        Err(NoServer { skipped: self.skipped, error: None })
    }

    /// The server that is named, and no other.
    fn named(&mut self, _say: Say<'_>) -> Result<Option<Server>, End> {
        let choice = self.request.choice;
        match (&self.request.named, choice) {
            (Some(address), ServerChoice::Auto | ServerChoice::Env) => return Ok(Some(Server::named(address.clone()))),
            (Some(address), _) => {
                let reason = format!("{address} is named, but --server {choice} comes first");
                self.skipped.push(Skipped::new(Rung::Env, reason));
            }
            (None, ServerChoice::Env | ServerChoice::Auto) => {
                let none = Skipped::new(Rung::Env, "no server is named");
                self.skipped.push(none.unless("set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE"));
            }
            (None, _) => {}
        }
        if choice == ServerChoice::Env { Err(End::Said) } else { Ok(None) }
    }

    /// A server that an earlier run started and that still runs: first the one that was started last.
    fn running(&mut self, _say: Say<'_>) -> Result<Option<Server>, End> {
        let failed = |error| End::Failed(Rung::Local, error);
        let data_dir = DataDir::open(self.request.data_dir).map_err(failed)?;
        if let Some(data_dir) = &data_dir {
            for rung in self.order(data_dir).map_err(failed)? {
                let found = match rung {
                    Rung::Container => self.running_container(data_dir),
                    _ => self.running_cluster(),
                };
                if let Some(server) = found.map_err(|error| End::Failed(rung, error))? {
                    self.note_current(data_dir, &server).map_err(failed)?;
                    return Ok(Some(server));
                }
            }
        }
        if self.request.mode == Mode::Find {
            self.skipped.extend(self.stopped.not_running(&self.request));
            return Err(End::Said);
        }
        Ok(None)
    }

    /// Which of the two is looked at first. Notes what is kept.
    fn order(&mut self, data_dir: &DataDir) -> Result<Vec<Rung>, Error> {
        let current = data_dir.current();
        self.stopped.containers = ContainerRecord::all(data_dir)?;
        self.stopped.current_cluster = data_dir.clusters()?.into_iter().find(|cluster| cluster.name() == current);
        let is_container = self.stopped.containers.iter().any(|kept| kept.name() == current);
        self.stopped.current = current;
        Ok(match self.request.choice {
            ServerChoice::Local => vec![Rung::Local],
            ServerChoice::Container => vec![Rung::Container],
            _ if is_container => vec![Rung::Container, Rung::Local],
            _ => vec![Rung::Local, Rung::Container],
        })
    }

    fn running_cluster(&mut self) -> Result<Option<Server>, Error> {
        let Request { data_dir, bin_dir, mode, durability, .. } = self.request;
        match local::search(data_dir, bin_dir, self.patience()) {
            // One with other settings is started again, where that may be.
            Ok(Search::Running(found)) if mode != Mode::Find && found.running.durability() != durability => {
                self.stopped.clusters = vec![found.cluster];
            }
            Ok(Search::Running(found)) => return Ok(Some(Server::local(*found))),
            Ok(Search::Stopped(clusters)) => self.stopped.clusters = clusters,
            // The start gives the superuser a new one.
            Err(Error::PasswordLost { .. }) if mode != Mode::Find => {}
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    fn running_container(&mut self, data_dir: &DataDir) -> Result<Option<Server>, Error> {
        let containers = &self.request.containers;
        if self.stopped.goes_on_by_default(containers).is_some() {
            return Ok(None);
        }
        match container::search(data_dir, containers, self.request.durability, self.patience())? {
            container::Search::Running(found) => return Ok(Some(Server::in_container(*found))),
            container::Search::Stopped { unasked } => self.stopped.unasked = unasked,
        }
        Ok(None)
    }

    /// Where one may be started, a server that is just starting is waited for under the lock.
    fn patience(&self) -> Duration {
        if self.request.mode == Mode::Find { self.request.wait } else { Duration::ZERO }
    }

    /// Notes that this server is the one to go on with, where another was started later.
    fn note_current(&self, data_dir: &DataDir, server: &Server) -> Result<(), Error> {
        if self.request.mode == Mode::Find {
            return Ok(());
        }
        let cluster = server.local.as_ref().and_then(|local| local.data.parent()?.file_name()?.to_str());
        match server.container.as_ref().map(|container| container.name.as_str()).or(cluster) {
            Some(name) if data_dir.current() != name => data_dir.set_current(name),
            _ => Ok(()),
        }
    }

    /// No rung gives a server without the data of this workspace where nobody asked for that.
    fn kept_data(&mut self, say: Say<'_>) -> Result<Option<Server>, End> {
        if let Some(cluster) = self.stopped.goes_on(self.request.choice) {
            let reason = format!("the data of this workspace are in {}", cluster.data().display());
            let skipped = Skipped::new(Rung::Container, reason);
            self.skipped
                .push(skipped.unless("make a new database in a container: cargo xtask db-setup --server container"));
            self.request.choice = ServerChoice::Local;
        }
        let containers = &self.request.containers;
        if self.request.choice != ServerChoice::Local
            && let Some(kept) = self.stopped.of_another_image(containers)
        {
            let other = OtherData::of_image(kept, self.stopped.is_new(containers), &self.request);
            // Where nobody chose the image, a new database in the place of the one that is there would be a surprise.
            if containers.image_is_default {
                self.skipped.push(Skipped::new(Rung::Container, other.refused()));
                return Err(End::Said);
            }
            say(&other.left());
        }
        Ok(None)
    }

    /// Ends what throw-away servers of earlier runs have left.
    fn swept(&mut self, say: Say<'_>) -> Result<Option<Server>, End> {
        let data_dir = DataDir::open(self.request.data_dir);
        let swept = data_dir.and_then(|open| open.map_or(Ok(None), |open| sweep(&open, &self.request.containers, say)));
        swept.map(|_| None).map_err(|error| End::Failed(Rung::Local, error))
    }

    fn container(&mut self, say: Say<'_>) -> Result<Option<Server>, End> {
        if self.request.choice == ServerChoice::Local {
            return Ok(None);
        }
        let engine = OpenEngine::open(&self.request.containers, say);
        match engine.and_then(|engine| self.starts.container(engine, say)) {
            Ok(server) => Ok(Some(server)),
            Err(error) if error.is_passing() => {
                self.skipped.push(Skipped::new(Rung::Container, error.to_string()));
                // A cluster would begin without its data.
                if let Some(kept) = self.stopped.left(self.request.choice) {
                    let reason = format!("the data of this workspace are in the container {}", kept.name());
                    let skipped = Skipped::new(Rung::Local, reason);
                    self.skipped.push(
                        skipped.unless("make a new database in a private cluster: cargo xtask db-setup --server local"),
                    );
                    return Err(End::Said);
                }
                if self.request.choice == ServerChoice::Container { Err(End::Said) } else { Ok(None) }
            }
            Err(error) => Err(End::Failed(Rung::Container, error)),
        }
    }

    /// A private cluster, from binaries that are installed, or that are installed now.
    fn local(&mut self, say: Say<'_>) -> Result<Option<Server>, End> {
        let error = match self.starts.local(say) {
            Err(Error::NoBinaries { .. }) if self.request.mode == Mode::Install => {
                install::install(self.request.path, say).map_err(|error| End::Failed(Rung::Install, error))?;
                return self.starts.local(say).map(Some).map_err(|error| End::Failed(Rung::Local, error));
            }
            Err(error @ Error::NoBinaries { .. }) => error,
            outcome => return outcome.map(Some).map_err(|error| End::Failed(Rung::Local, error)),
        };
        let remedy = "install PostgreSQL, or set PG_BIN_DIR to the directory of initdb and postgres";
        self.skipped.push(Skipped::new(Rung::Local, error.to_string()).unless(remedy));
        self.skipped.push(install::not_asked_for(self.request.path));
        Err(End::Said)
    }
}
