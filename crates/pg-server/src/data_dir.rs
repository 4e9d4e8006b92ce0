//! The directory that keeps a workspace's servers (`DB_DATA_DIR`), and what is ours in it.
//!
//! ```text
//! made-by-pg-server        the marker: without it nothing here is ever deleted
//! lock                     held by whoever starts, stops or deletes something
//! current                  the name of the cluster or container that was started last
//! id                       what tells this workspace from every other that uses the same container engine
//! clusters/15/             one per major version: see `cluster`
//! clusters/15.broken-…/   one that could not start any more, put aside with its data: see `local`
//! containers/aura-…/       one per configuration: see `container::record`
//! ephemeral/…/             servers that go with whoever asked for them: see `ephemeral`
//! templates/15.18-…/       initialised clusters that were never started: see `template`
//! passwords/aura_user      0600: see `app_password`
//! ```

use std::{
    cmp::Reverse,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{self, Path, PathBuf},
    time::{Duration, SystemTime},
};

use nix::unistd::geteuid;
use pg_config::random_id;

use crate::{
    Error,
    files::{listed, make_directories, make_directory, remove_tree, sweep_unfinished, write},
    local::{cluster::Cluster, user::Account},
    lock::{self, Lock},
};

const MARKER: &str = "made-by-pg-server";
const MARKER_TEXT: &str = "PostgreSQL servers of one workspace: clusters, templates, passwords, logs.\n\
    Made by `cargo xtask db-setup`, deleted by `cargo xtask db-stop --purge`.\n";
const LOCK: &str = "lock";
const CURRENT: &str = "current";
const ID: &str = "id";
const CLUSTERS: &str = "clusters";
const CONTAINERS: &str = "containers";
const EPHEMERAL: &str = "ephemeral";
const TEMPLATES: &str = "templates";
const PASSWORDS: &str = "passwords";
/// What stands between the name of a cluster that is put aside and the time.
const BROKEN: &str = ".broken-";

/// A data directory that is ours.
#[derive(Clone, Debug)]
pub(crate) struct DataDir {
    /// Absolute, without symbolic links.
    pub(crate) root: PathBuf,
    pub(crate) account: Account,
}

impl DataDir {
    /// The directory as an earlier run left it; `None` where there is nothing yet. Changes nothing.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, Error> {
        match Self::open_as_it_is(path)? {
            Some((_, Some(wrong))) => Err(wrong),
            opened => Ok(opened.map(|(data_dir, _)| data_dir)),
        }
    }

    /// The same, also where nothing may be made or deleted in it, and why not: what runs there can be stopped.
    pub(crate) fn open_as_it_is(path: &Path) -> Result<Option<(Self, Option<Error>)>, Error> {
        let root = match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_link(path) {
                Ok(target) => return Err(Error::Dangling { path: path.to_owned(), target }),
                Err(_) => return Ok(None),
            },
            outcome => outcome.map_err(Error::io("look at", path))?,
        };
        check_text(&root)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&root).map_err(Error::io("list", &root))? {
            names.push(entry.map_err(Error::io("list", &root))?.file_name());
        }
        let has = |wanted: &str| names.iter().any(|name| name == wanted);
        let is_unmarked = !has(MARKER) && names.iter().any(|name| name != LOCK);
        if is_unmarked && !(has(CLUSTERS) && has(LOCK)) {
            return Err(Error::NotOurs { path: root });
        }
        let owner = fs::metadata(&root).map_err(Error::io("look at", &root))?.uid();
        let us = geteuid().as_raw();
        if owner != us {
            return Err(Error::OtherOwner { path: root, owner, us });
        }
        let account = Account::choose()?;
        let wrong = match is_unmarked {
            true => Err(Error::Unmarked { marker: root.join(MARKER) }),
            false => account.check_place(&root).and_then(|()| check_closed(&root)),
        };
        let data_dir = Self { root, account };
        Ok(if has(MARKER) || wrong.is_err() { Some((data_dir, wrong.err())) } else { None })
    }

    /// The directory, made where it is missing, and its lock.
    pub(crate) fn make(path: &Path, wait: Duration) -> Result<(Self, Lock), Error> {
        let account = Account::choose()?;
        let path = path::absolute(path).map_err(Error::io("make", path))?;
        check_text(&path)?;
        account.check_passage(&path)?;
        account.check_place(&path)?;
        make_directories(&path, account.passage_mode())?;
        let root = fs::canonicalize(&path).map_err(Error::io("look at", &path))?;
        // Refuses somebody else's directory.
        Self::open(&root)?;
        let lock = lock::acquire(&root.join(LOCK), wait)?;
        // Under the lock, because `db-stop --purge` may have been at work until now.
        let data_dir = Self { root, account };
        let marker = data_dir.root.join(MARKER);
        write(&marker, MARKER_TEXT)?;
        let passage = data_dir.account.passage_mode();
        make_directory(&data_dir.clusters_directory(), passage)?;
        make_directory(&data_dir.templates(), passage)?;
        make_directory(&data_dir.containers(), 0o700)?;
        make_directory(&data_dir.ephemeral(), passage)?;
        make_directory(&data_dir.passwords(), 0o700)?;
        for directory in [data_dir.clusters_directory(), data_dir.templates(), data_dir.ephemeral()] {
            sweep_unfinished(&directory);
        }
        Ok((data_dir, lock))
    }

    /// Takes the lock of a directory that is there.
    pub(crate) fn lock(&self, wait: Duration) -> Result<Lock, Error> {
        lock::acquire(&self.root.join(LOCK), wait)
    }

    /// Every kept cluster: first the one that was started last, then by name, the newest first.
    pub(crate) fn clusters(&self) -> Result<Vec<Cluster>, Error> {
        let mut clusters = self.all_clusters()?;
        clusters.retain(|cluster| !cluster.name().contains(BROKEN));
        Ok(clusters)
    }

    /// The clusters that were put aside because they could not start any more.
    pub(crate) fn broken_clusters(&self) -> Result<Vec<Cluster>, Error> {
        let mut clusters = self.all_clusters()?;
        clusters.retain(|cluster| cluster.name().contains(BROKEN));
        Ok(clusters)
    }

    fn all_clusters(&self) -> Result<Vec<Cluster>, Error> {
        let directories = listed(&self.clusters_directory())?;
        let names = directories.iter().filter_map(|directory| directory.file_name()?.to_str());
        let mut clusters: Vec<_> = names.map(|name| self.cluster(name)).collect();
        let current = self.current();
        let rank = |cluster: &Cluster| {
            let name = cluster.name().to_owned();
            let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
            (name == current, digits.parse::<u32>().ok(), name)
        };
        clusters.sort_by_cached_key(|cluster| Reverse(rank(cluster)));
        Ok(clusters)
    }

    /// The cluster of this name, whether or not it is there.
    pub(crate) fn cluster(&self, name: &str) -> Cluster {
        let directory = self.clusters_directory().join(name);
        let account = self.account.clone().of(&directory.join("data"));
        Cluster::at(directory, account)
    }

    /// The name of the cluster or container that was started last; empty where there was none.
    pub(crate) fn current(&self) -> String {
        fs::read_to_string(self.root.join(CURRENT)).unwrap_or_default().trim().to_owned()
    }

    /// Notes that this cluster or container is the one to go on with.
    pub(crate) fn set_current(&self, name: &str) -> Result<(), Error> {
        write(&self.root.join(CURRENT), name)
    }

    /// What tells this data directory from every other, on every machine. The lock is held by the caller.
    pub(crate) fn id(&self) -> Result<String, Error> {
        let path = self.root.join(ID);
        match fs::read_to_string(&path) {
            Ok(id) if !id.trim().is_empty() => return Ok(id),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("read", &path)(error)),
            _ => {}
        }
        let id = random_id();
        write(&path, &id)?;
        Ok(id)
    }

    /// The directories of the containers' records.
    pub(crate) fn container_directories(&self) -> Result<Vec<PathBuf>, Error> {
        listed(&self.containers())
    }

    /// The directories of servers that go with whoever asked for them.
    pub(crate) fn ephemeral_directories(&self) -> Result<Vec<PathBuf>, Error> {
        listed(&self.ephemeral())
    }

    /// Deletes everything that is ours, the lock last; what somebody else put here stays.
    pub(crate) fn delete(&self) -> Result<(), Error> {
        for name in [CLUSTERS, CONTAINERS, EPHEMERAL, TEMPLATES, PASSWORDS] {
            remove_tree(&self.root.join(name))?;
        }
        for name in [CURRENT, ID, MARKER, LOCK] {
            let path = self.root.join(name);
            // In the place of a file an empty directory is no loss.
            let removed = if path.is_dir() { fs::remove_dir(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("delete", &path)(error));
                }
                _ => {}
            }
        }
        // Fails where something of somebody else's is left, which is as it should be.
        let _ = fs::remove_dir(&self.root);
        Ok(())
    }

    fn clusters_directory(&self) -> PathBuf {
        self.root.join(CLUSTERS)
    }

    pub(crate) fn containers(&self) -> PathBuf {
        self.root.join(CONTAINERS)
    }

    pub(crate) fn ephemeral(&self) -> PathBuf {
        self.root.join(EPHEMERAL)
    }

    pub(crate) fn templates(&self) -> PathBuf {
        self.root.join(TEMPLATES)
    }

    pub(crate) fn passwords(&self) -> PathBuf {
        self.root.join(PASSWORDS)
    }
}

/// The name under which a broken cluster's directory is put aside.
pub(crate) fn put_aside_name(directory: &Path) -> PathBuf {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(format!("{BROKEN}{}", now.as_secs()));
    directory.with_file_name(name)
}

/// Other users could put files of their own in the place of ours where they may write.
fn check_closed(root: &Path) -> Result<(), Error> {
    let kept = [CLUSTERS, CONTAINERS, EPHEMERAL, TEMPLATES, PASSWORDS].map(|name| root.join(name));
    for directory in [root.to_owned()].into_iter().chain(kept) {
        let mode = fs::symlink_metadata(&directory).map_or(0, |found| found.mode());
        if mode & 0o022 != 0 {
            return Err(Error::TooOpen { path: directory, mode: mode & 0o7777, right: "write", change: "go-w" });
        }
    }
    Ok(())
}

/// `postmaster.pid` is made of lines, and the server prints its data directory as text.
fn check_text(path: &Path) -> Result<(), Error> {
    match path.to_str() {
        Some(text) if !text.contains(char::is_control) => Ok(()),
        _ => Err(Error::Path { path: path.to_owned() }),
    }
}
