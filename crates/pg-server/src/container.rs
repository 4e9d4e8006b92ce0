//! The `container` rung: PostgreSQL in a container of this workspace, left running and found again.
//!
//! What changes something is the helper program's ([`helper`]): testcontainers, which only who takes this rung
//! compiles. What looks only is asked of the engine by hand ([`crate::engine`]), in milliseconds.

mod helper;
mod ready;
mod record;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use pg_config::{Durability, Password};
use serde_json::json;

pub(crate) use self::{helper::Helper, record::ContainerRecord};
use crate::{
    EngineError, Error, Say,
    data_dir::DataDir,
    engine::{self, Engine, EngineSettings, Seen},
    local::launch,
    lock::Lock,
    login::{LoggedIn, SUPERUSER},
    poll,
};

/// Builds the helper program, where it is not built yet, and says where it is.
pub type BuildHelper<'a> = &'a dyn Fn(Say<'_>) -> Result<PathBuf, String>;

/// What the rung needs to know beside the rest of the [`Request`](crate::Request).
#[derive(Clone, Copy)]
pub struct ContainerSettings<'a> {
    /// What names begin with: the project's short name.
    pub project: &'a str,
    /// The workspace's root, for names and labels.
    pub workspace: &'a Path,
    /// `POSTGRES_IMAGE`.
    pub image: &'a str,
    /// Whether nobody chose that image.
    pub image_is_default: bool,
    /// Which engine is meant.
    pub engine: &'a EngineSettings,
    /// The helper program.
    pub helper: BuildHelper<'a>,
}

/// A container that serves.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image, as `POSTGRES_IMAGE` has it.
    pub image: String,
    /// Its engine's address, as `DOCKER_HOST` has it.
    pub engine: String,
    /// The command that speaks to that engine: `docker`, `podman --url …`.
    pub client: String,
    /// What a program that finds engines by the environment must be given to find this one; what has no value must
    /// be unset.
    pub environment: Vec<(&'static str, Option<OsString>)>,
    /// The server's version: `17.5`.
    pub version: String,
}

/// A server in a container.
pub(crate) struct Found {
    pub(crate) kept: ContainerRecord,
    pub(crate) login: LoggedIn,
    pub(crate) engine: Engine,
    pub(crate) started_now: bool,
    /// Why this one, for people.
    pub(crate) reason: String,
}

/// What a search without a start comes to.
pub(crate) enum Search {
    Running(Box<Found>),
    /// None runs, as far as could be seen.
    Stopped {
        /// The name of one whose engine did not say how it is, and why not.
        unasked: Option<(String, EngineError)>,
    },
}

/// The port of every image's server.
const PORT: u16 = 5432;

/// Where the image finds the superuser's password, at every start: what the environment holds, the engine tells to
/// everybody who may look at the container. Not below a directory that an engine may mount something over, as `/run`.
const PASSWORD_FILE: &str = "/etc/postgres-superuser-password";

/// How long an engine is asked for the port of a container that it has started.
const BUSY_LIMIT: Duration = Duration::from_secs(10);

/// Handed to `initdb` by the image's entrypoint. The first is for images whose locale says otherwise; from where
/// a published port's connections come inside depends on the engine, and the image trusts 127.0.0.1 by itself.
const INITDB: &str = "--encoding=UTF8 --auth-host=scram-sha-256";

/// The same for data that a crash of the machine may cost.
const INITDB_UNSYNCED: &str = "--encoding=UTF8 --auth-host=scram-sha-256 --no-sync";

/// A container of this configuration that runs. Waits for one that is just starting; changes nothing but what is
/// known of its data: whoever finds it may leave some.
pub(crate) fn search(
    data_dir: &DataDir,
    containers: &ContainerSettings<'_>,
    durability: Durability,
    wait: Duration,
) -> Result<Search, Error> {
    let deadline = Instant::now() + wait;
    let mut unasked = None;
    for kept in ContainerRecord::all(data_dir)? {
        if kept.image != containers.image || kept.durability != durability {
            continue;
        }
        let found = Engine::at(&kept.engine, containers.engine).map_err(Error::from).and_then(|engine| {
            let login = ready::find(&kept, &engine, deadline)?;
            Ok(login.map(|login| (engine, login)))
        });
        match found {
            Ok(Some((engine, login))) => {
                kept.served()?;
                let reason = format!("started earlier for this workspace, container {} of {}", kept.name(), kept.image);
                return Ok(Search::Running(Box::new(Found { kept, login, engine, started_now: false, reason })));
            }
            Ok(None) => {}
            Err(Error::NoEngine(error)) => unasked = unasked.or(Some((kept.name().to_owned(), error))),
            Err(error) => return Err(error),
        }
    }
    Ok(Search::Stopped { unasked })
}

/// An engine that has the image, and the program that makes containers of it: what takes long and changes nothing of
/// this workspace.
pub(crate) struct OpenEngine<'a> {
    containers: &'a ContainerSettings<'a>,
    engine: Engine,
    helper: Helper,
}

impl<'a> OpenEngine<'a> {
    pub(crate) fn open(containers: &'a ContainerSettings<'a>, say: Say<'_>) -> Result<Self, Error> {
        let engine = Engine::find(containers.engine)?;
        if !engine.has_image(containers.image)? {
            engine.pull(containers.image, say)?;
        }
        let helper = Helper::build(containers.helper, &engine, containers.engine, say)?;
        Ok(Self { containers, engine, helper })
    }

    /// The running server of this workspace, started where none runs.
    pub(crate) fn ensure(
        &self,
        data_dir: &Path,
        durability: Durability,
        wait: Duration,
        say: Say<'_>,
    ) -> Result<Found, Error> {
        let (data_dir, lock) = DataDir::make(data_dir, wait)?;
        // Whoever held the lock until now may have started one.
        if let Search::Running(found) = search(&data_dir, self.containers, durability, Duration::ZERO)? {
            return Ok(*found);
        }
        let kept = ContainerRecord::of(&data_dir, self.containers, durability, &self.engine)?;
        let found = self.start(kept, wait, say)?;
        data_dir.set_current(found.kept.name())?;
        drop::<Lock>(lock);
        Ok(found)
    }

    /// The record of a container that goes with whoever asked for it, in a new directory.
    pub(crate) fn passing(&self, directory: PathBuf) -> Result<ContainerRecord, Error> {
        ContainerRecord::passing(directory, self.containers.image, &self.engine)
    }

    /// The helper program, for whoever must remove what was started here.
    pub(crate) fn into_helper(self) -> Helper {
        self.helper
    }

    /// Starts the server of a container whose record is there, and waits until it lets us in.
    pub(crate) fn start(&self, mut kept: ContainerRecord, wait: Duration, say: Say<'_>) -> Result<Found, Error> {
        let deadline = Instant::now() + wait;
        let settings = launch::explained(kept.durability);
        say(&format!("starting the container {} of {}{settings}", kept.name(), kept.image));
        if let Some(host) = self.engine.remote_host() {
            say(&format!("{host} is not this machine: the server's port is open on all of its addresses"));
        }
        let made = self.run(&mut kept, say)?;
        let outcome = ready::wait(&kept, &self.engine, &self.helper, wait, deadline);
        let login = match outcome {
            // Killed while it was initialised: nobody's data are in it.
            Err(Error::Exited { tail, .. }) if !kept.has_served() => {
                say(&format!("the server in {} did not start and is made again; its log ended:\n{tail}", kept.name()));
                self.helper.remove(&kept)?;
                self.helper.remove_volume(&kept)?;
                self.run(&mut kept, say)?;
                ready::wait(&kept, &self.engine, &self.helper, wait, Instant::now() + wait)?
            }
            Err(Error::Exited { tail, .. }) if refuses_version(&tail) => return Err(other_version(&kept, &tail)),
            outcome => outcome?,
        };
        let has_served = kept.has_served();
        kept.served()?;
        kept.is_of(&login.version)?;
        let kind = match (made.as_str(), has_served) {
            ("created", false) => "a new container",
            ("created", true) => "a new container on the kept data",
            ("started", _) => "the kept container",
            _ => "the running container",
        };
        let reason = format!("{kind}, {} of {}, by {}", kept.name(), kept.image, self.engine);
        Ok(Found { kept, login, engine: self.engine.clone(), started_now: true, reason })
    }

    /// Makes sure that the container runs; says what was done for it.
    fn run(&self, kept: &mut ContainerRecord, say: Say<'_>) -> Result<String, Error> {
        let mut arguments = vec!["postgres".to_owned()];
        let own = [("cluster_name", kept.name()), ("listen_addresses", "*")];
        for (name, value) in launch::container_settings(kept.durability).chain(own) {
            arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
        }
        let password = kept.password()?;
        let request = json!({
            "command": "start",
            "name": kept.name(),
            "image": kept.image,
            "port": PORT,
            // Of another machine's loopback address we see nothing.
            "publish": self.engine.remote_host().map_or("127.0.0.1", |_| "0.0.0.0"),
            "arguments": arguments,
            "environment": {
                "POSTGRES_USER": SUPERUSER,
                "POSTGRES_PASSWORD_FILE": PASSWORD_FILE,
                "POSTGRES_DB": "postgres",
                "POSTGRES_INITDB_ARGS": match kept.durability {
                    Durability::Development => INITDB_UNSYNCED,
                    Durability::Durable => INITDB,
                },
            },
            "files": { PASSWORD_FILE: Password::reveal(&password) },
            "volume": kept.volume,
            "unserved": kept.unserved_file(),
            "labels": { "pg-container.workspace": self.containers.workspace.display().to_string() },
            "lock": kept.lock_file(),
        });
        let started = self.helper.run(kept.name(), &request, say)?;
        // An engine that has just started a container may be too busy to answer at once.
        let port = poll::until(Instant::now() + BUSY_LIMIT, || match self.engine.container(kept.name()) {
            Ok(Seen::Running { port, .. }) => Some(port),
            Ok(Seen::Ended(_) | Seen::Absent) => Some(None),
            Err(_) => None,
        });
        kept.published(port.flatten())?;
        Ok(started["done"].as_str().unwrap_or("found").to_owned())
    }
}

/// Whether a server ended because the data are of another major version: in the words of PostgreSQL itself, of the
/// official image from 18 on, and of `initdb` where an older image finds the data in a directory below.
fn refuses_version(log: &str) -> bool {
    ["database files are incompatible with server", "there appears to be PostgreSQL data in", "exists but is not empty"]
        .iter()
        .any(|words| log.contains(words))
}

fn other_version(kept: &ContainerRecord, log: &str) -> Error {
    let (name, image, client) = (kept.name(), &kept.image, engine::client(&kept.engine));
    let volume = kept.volume.as_deref().unwrap_or_default();
    let made_by = kept.version.as_ref().map(|version| format!(" (PostgreSQL {version})")).unwrap_or_default();
    let major = kept.version.as_ref().and_then(|version| version.split('.').next());
    let older = major.map_or_else(|| "IMAGE".to_owned(), |major| format!("postgres:{major}"));
    Error::OtherData(format!(
        "{image} is of another major version than the data in the volume {volume}{made_by}\n  \
         note: its server refuses them, and they are unchanged; the end of its log:\n{log}\n  \
         help: give that name to an image of the data's version, and start again:\n    \
         {client} rm {name}\n    {client} tag {older} {image}\n    cargo xtask db-setup\n  \
         help: or delete the data: cargo xtask db-stop --purge"
    ))
}

impl Found {
    pub(crate) fn container(&self) -> Container {
        Container {
            name: self.kept.name().to_owned(),
            image: self.kept.image.clone(),
            engine: self.kept.engine.clone(),
            client: self.engine.client(),
            environment: self.engine.environment().into(),
            version: self.login.version.clone(),
        }
    }
}

/// Whether a container of this name runs, as its engine says.
pub(crate) fn state(kept: &ContainerRecord, settings: &EngineSettings) -> Result<Seen, Error> {
    Ok(Engine::at(&kept.engine, settings)?.container(kept.name())?)
}
