//! What is kept of a container.
//!
//! ```text
//! containers/aura-main-0123456789ab/
//!     container.json   its image, settings, volume and engine
//!     password         0600: the superuser's
//! containers/.aura-main-ba9876543210-data.unserved
//!                      nobody was let in to the data of this volume yet; made with the volume
//! containers/.aura-main-ba9876543210-data.lock
//!                      held by the helper program that starts or removes a container of this volume
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
    str::FromStr as _,
};

use pg_config::{Durability, Password, short_digest};
use serde_json::{Value, json};

use super::ContainerSettings;
use crate::{
    Error,
    data_dir::DataDir,
    engine::Engine,
    files::{make_directory, write},
    password,
};

/// The record of one container, whether or not the container is there.
#[derive(Clone, Debug)]
pub(crate) struct ContainerRecord {
    directory: PathBuf,
    pub(crate) image: String,
    pub(crate) durability: Durability,
    /// None: the data lie in memory, and go with the container.
    pub(crate) volume: Option<String>,
    /// As `DOCKER_HOST` has it.
    pub(crate) engine: String,
    /// The published port of its last start: an engine with TLS is not asked for it.
    pub(crate) port: Option<u16>,
    /// The server's version at its last start: `17.5`. None: it has not served, or an older release of ours started it.
    pub(crate) version: Option<String>,
}

impl ContainerRecord {
    /// Every container of this data directory; first the one that was started last.
    pub(crate) fn all(data_dir: &DataDir) -> Result<Vec<Self>, Error> {
        let directories = data_dir.container_directories()?;
        let mut all: Vec<Self> = directories
            .into_iter()
            .filter_map(|directory| Self::read(directory).transpose())
            .collect::<Result<_, _>>()?;
        let current = data_dir.current();
        all.sort_by_key(|kept| (kept.name() != current, kept.name().to_owned()));
        Ok(all)
    }

    /// The record of this configuration's container, made where there is none.
    ///
    /// Its name carries a digest of all that it is made of: no other image, setting, engine or workspace ever finds
    /// it. Its volume's name leaves the settings out: other settings are another container on the same data.
    pub(crate) fn of(
        data_dir: &DataDir,
        containers: &ContainerSettings<'_>,
        durability: Durability,
        engine: &Engine,
    ) -> Result<Self, Error> {
        let folder = containers.workspace.file_name().unwrap_or_default().to_string_lossy();
        let place = [data_dir.id()?, containers.image.to_owned(), engine.docker_host()].join("\n");
        let name = name(containers.project, &folder, &format!("{place}\n{durability}"));
        let directory = data_dir.containers().join(&name);
        if let Some(kept) = Self::read(directory.clone())? {
            return Ok(kept);
        }
        let volume = format!("{}-data", self::name(containers.project, &folder, &place));
        // Whoever set the data up set the password too.
        let sibling = Self::all(data_dir)?.into_iter().find(|other| other.volume.as_ref() == Some(&volume));
        let password = sibling.map(|other| other.password()).transpose()?.unwrap_or_else(Password::generate);
        let kept = Self {
            directory,
            image: containers.image.to_owned(),
            durability,
            volume: Some(volume),
            engine: engine.docker_host(),
            port: None,
            version: None,
        };
        kept.make(&password)?;
        Ok(kept)
    }

    /// The record of a container that goes with whoever asked for it, in a new directory of its own.
    pub(crate) fn passing(directory: PathBuf, image: &str, engine: &Engine) -> Result<Self, Error> {
        let kept = Self {
            directory,
            image: image.to_owned(),
            durability: Durability::Development,
            volume: None,
            engine: engine.docker_host(),
            port: None,
            version: None,
        };
        kept.make(&Password::generate())?;
        Ok(kept)
    }

    /// The record in this directory; `None` where there is none, or none yet.
    pub(crate) fn read(directory: PathBuf) -> Result<Option<Self>, Error> {
        let file = directory.join(RECORD);
        let text = match fs::read_to_string(&file) {
            Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
                return Ok(None);
            }
            outcome => outcome.map_err(Error::io("read", &file))?,
        };
        let record = serde_json::from_str(&text).ok();
        record.and_then(|record| Self::parse(directory, &record)).map(Some).ok_or(Error::Record { file })
    }

    fn parse(directory: PathBuf, record: &Value) -> Option<Self> {
        Some(Self {
            image: record["image"].as_str()?.to_owned(),
            durability: Durability::from_str(record["durable"].as_str()?).ok()?,
            volume: record["volume"].as_str().map(str::to_owned),
            engine: record["engine"].as_str()?.to_owned(),
            port: record["port"].as_u64().and_then(|port| u16::try_from(port).ok()),
            version: record["version"].as_str().map(str::to_owned),
            directory,
        })
    }

    /// The container's name.
    pub(crate) fn name(&self) -> &str {
        self.directory.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// For messages.
    pub(crate) fn server(&self) -> String {
        format!("the server in the container {}", self.name())
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Of the data: two servers on one volume would ruin it. Without a volume, of the container.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.beside("lock").unwrap_or_else(|| self.directory.join("lock"))
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.directory.join("password")
    }

    pub(crate) fn password(&self) -> Result<Password, Error> {
        let file = self.password_file();
        let missing = || Error::io("read a password from", &file)(io::Error::other("there is none"));
        password::read(&file)?.ok_or_else(missing)
    }

    /// The mark of a volume that the helper program made and nobody was let in to, by whatever container of it.
    ///
    /// A volume without the mark holds somebody's data, whatever became of our records meanwhile.
    pub(crate) fn unserved_file(&self) -> Option<PathBuf> {
        self.beside("unserved")
    }

    /// A file about its volume, whose containers all share it.
    fn beside(&self, what: &str) -> Option<PathBuf> {
        Some(self.directory.with_file_name(format!(".{}.{what}", self.volume.as_ref()?)))
    }

    /// Whether there may be data of somebody's in it.
    pub(crate) fn has_served(&self) -> bool {
        self.unserved_file().is_some_and(|mark| !mark.exists())
    }

    /// Whether it was started, and there may be data of somebody's in it.
    pub(crate) fn holds_data(&self) -> bool {
        self.port.is_some() && self.has_served()
    }

    /// Notes that its server has let us in: from now on its data are somebody's.
    pub(crate) fn served(&self) -> Result<(), Error> {
        let Some(mark) = self.unserved_file().filter(|mark| mark.exists()) else { return Ok(()) };
        match fs::remove_file(&mark) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("delete", &mark)(error)),
            _ => Ok(()),
        }
    }

    /// Notes the port of a start.
    pub(crate) fn published(&mut self, port: Option<u16>) -> Result<(), Error> {
        self.port = port;
        self.write()
    }

    /// Notes the version of its server.
    pub(crate) fn is_of(&mut self, version: &str) -> Result<(), Error> {
        self.version = Some(version.to_owned());
        self.write()
    }

    fn make(&self, password: &Password) -> Result<(), Error> {
        make_directory(&self.directory, 0o700)?;
        let file = self.password_file();
        // One that is there without a record may be that of data.
        if password::read(&file)?.is_none() {
            password::replace(&file, password)?;
        }
        self.write()
    }

    fn write(&self) -> Result<(), Error> {
        let record = json!({
            "image": self.image,
            "durable": self.durability.to_string(),
            "volume": self.volume,
            "engine": self.engine,
            "port": self.port,
            "version": self.version,
        });
        // Whole or not at all: a record that cannot be read is a container that nobody finds.
        let draft = self.directory.join(".new");
        write(&draft, &record.to_string())?;
        let file = self.directory.join(RECORD);
        fs::rename(&draft, &file).map_err(Error::io("write", &file))
    }
}

const RECORD: &str = "container.json";

/// A name for the engine, and for `cluster_name`, which holds 63 bytes: letters, digits, `-`, `_`, `.`, and no such
/// sign first.
fn name(project: &str, folder: &str, what: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let words = format!("{project}-{folder}");
    let words: String = words.chars().take(40).map(plain).collect();
    format!("{}-{}", words.trim_matches('-'), short_digest(what.as_bytes()))
}
