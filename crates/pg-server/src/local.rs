//! The `local` rung: a private cluster of this workspace, from installed binaries.

mod binaries;
pub(crate) mod cluster;
mod command;
mod copy;
pub(crate) mod launch;
mod log;
mod pidfile;
mod port;
pub(crate) mod process;
mod renew_password;
mod scratch;
mod server_dir;
mod start;
pub(crate) mod template;
pub(crate) mod throwaway;
pub(crate) mod user;
mod version;

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use pg_config::Durability;

pub use self::{
    binaries::Binaries,
    scratch::scratch,
    template::{ClusterTemplate, template},
    throwaway::{Throwaway, end_throwaway, throwaway},
    version::Version,
};
use self::{
    cluster::{Cluster, Running, Seen},
    start::start,
};
use crate::{
    Dump, Error, Request, Say,
    data_dir::{DataDir, put_aside_name},
    files::remove_tree,
    other_data::OtherData,
    poll, shell_word,
};

/// Where a server that we started lives.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its version: `15.18`.
    pub version: String,
    /// The directory of `postgres`.
    pub bin_dir: PathBuf,
    /// Its data directory.
    pub data: PathBuf,
    /// The process id of the postmaster.
    pub pid: u32,
    /// The directory of its Unix socket; none where the path would be too long.
    pub socket_dir: Option<PathBuf>,
    /// Its log.
    pub log: PathBuf,
}

/// A server of this workspace that runs.
pub(crate) struct Found {
    pub(crate) cluster: Cluster,
    pub(crate) running: Running,
    pub(crate) started_now: bool,
    /// Why this one, for people.
    pub(crate) reason: String,
}

/// What a search without a start comes to.
pub(crate) enum Search {
    Running(Box<Found>),
    /// The clusters that are kept and stopped.
    Stopped(Vec<Cluster>),
}

/// A server that an earlier run started. Waits for one that is just starting; changes nothing.
pub(crate) fn search(data_dir: &Path, bin_dir: Option<&Path>, wait: Duration) -> Result<Search, Error> {
    let Some(data_dir) = DataDir::open(data_dir)? else { return Ok(Search::Stopped(Vec::new())) };
    let mut clusters = data_dir.clusters()?;
    if let Some(bin_dir) = bin_dir {
        let wanted = cluster_of(&clusters, bin_dir)?;
        clusters.retain(|cluster| cluster.name() == wanted);
    }
    let deadline = Instant::now() + wait;
    for cluster in &clusters {
        let mut why = None;
        let seen = poll::until(deadline, || match cluster.look() {
            Ok(Seen::Busy(error)) => {
                why = error;
                None
            }
            outcome => Some(outcome),
        });
        if let (None, Some(error)) = (&seen, why) {
            return Err(cluster.unable(error));
        }
        if let Some(Seen::Ready(running)) = seen.transpose()? {
            let reason = format!("started earlier for this workspace, process {}", running.pid);
            return Ok(Search::Running(Box::new(Found {
                cluster: cluster.clone(),
                running: *running,
                started_now: false,
                reason,
            })));
        }
    }
    Ok(Search::Stopped(clusters))
}

/// The running server of this workspace, started from these binaries where none runs.
pub(crate) fn ensure(request: &Request<'_>, say: Say<'_>) -> Result<Found, Error> {
    let Request { data_dir, bin_dir, path, durability, dump, wait, .. } = *request;
    // Before anything is made on the disk.
    let named = bin_dir.map(Binaries::named).transpose()?;
    let nothing_kept = DataDir::open(data_dir)?.is_none_or(|open| open.clusters().is_ok_and(|kept| kept.is_empty()));
    let newest = if named.is_none() && nothing_kept { Some(newest(path)?) } else { None };

    let (data_dir, _lock) = DataDir::make(data_dir, wait)?;
    // Whoever held the lock until now may have started one.
    match search(&data_dir.root, bin_dir, Duration::ZERO) {
        Ok(Search::Running(found)) if found.running.durability() == durability => return Ok(*found),
        Ok(Search::Running(found)) => {
            say("starting the server again, with the settings of DB_DURABLE");
            found.cluster.stop(wait)?;
        }
        Ok(Search::Stopped(_)) | Err(Error::PasswordLost { .. }) => {}
        Err(error) => return Err(error),
    }
    let is_named = named.is_some();
    let binaries = match named.or(newest) {
        Some(binaries) => binaries,
        None => of_kept(&data_dir, path, dump, say)?,
    };
    let cluster = data_dir.cluster(&binaries.version.cluster_name());
    if is_named
        && !cluster.directory().exists()
        && let Some(kept) = data_dir.clusters()?.first()
    {
        let own = own_binaries(kept, || Binaries::installed(path).0);
        say(&OtherData::of_version(kept, own.as_ref(), &binaries, dump).left());
    }
    let missing = if cluster.postmaster()?.is_some() { None } else { cluster.missing()? };
    if let Some(missing) = &missing {
        put_aside(&cluster, missing, say)?;
    }
    let (running, kind) = if missing.is_none() {
        (start_kept(&cluster, &binaries, durability, wait, say)?, "the kept cluster")
    } else {
        (start_fresh(&data_dir, &cluster, &binaries, durability, wait, say)?, "a new cluster")
    };
    data_dir.set_current(cluster.name())?;
    let reason = format!("{kind}, by the installed binaries in {}", binaries.directory.display());
    Ok(Found { cluster, running, started_now: true, reason })
}

impl Local {
    pub(crate) fn of(cluster: &Cluster, running: &Running) -> Self {
        Self {
            version: running.login.version.clone(),
            bin_dir: cluster.bin_dir().unwrap_or_default(),
            data: cluster.data(),
            pid: running.pid,
            socket_dir: running.socket_dir.clone(),
            log: cluster.log(),
        }
    }
}

/// The name of the cluster that `PG_BIN_DIR` means; the version is asked only where it was never recorded.
fn cluster_of(clusters: &[Cluster], bin_dir: &Path) -> Result<String, Error> {
    let recorded = clusters
        .iter()
        .find(|cluster| cluster.bin_dir().is_some_and(|kept| kept == bin_dir) && cluster.binaries().is_some());
    match recorded {
        Some(cluster) => Ok(cluster.name().to_owned()),
        None => Ok(Binaries::named(bin_dir)?.version.cluster_name()),
    }
}

/// The binaries of the cluster that was used last. A newer version does not take their place: its server could not read
/// the data.
fn of_kept(data_dir: &DataDir, path: Option<&OsStr>, dump: Dump<'_>, say: Say<'_>) -> Result<Binaries, Error> {
    let Some(cluster) = data_dir.clusters()?.into_iter().next() else { return newest(path) };
    let (installed, _) = Binaries::installed(path);
    match (own_binaries(&cluster, || installed.clone()), installed.first()) {
        (Some(own), Some(newest)) if own.version.major < newest.version.major => {
            say(&format!(
                "the data of this workspace are in {} (PostgreSQL {}): that version serves them, although PostgreSQL {} \
                 is installed too\n  help: to make a new database with the newer version, which keeps these data and prints how to \
                 copy them:\n    PG_BIN_DIR={} cargo xtask db-setup --server local",
                cluster.data().display(),
                cluster.name(),
                newest.version,
                shell_word(&newest.directory.display().to_string()),
            ));
            Ok(own)
        }
        (Some(own), _) => Ok(own),
        (None, Some(newest)) => Err(Error::OtherData(OtherData::of_version(&cluster, None, newest, dump).refused())),
        (None, None) => {
            say(&format!(
                "the data of this workspace are in {}: PostgreSQL {} must be installed for them",
                cluster.data().display(),
                cluster.name(),
            ));
            newest(path)
        }
    }
}

/// The binaries of a cluster's version: those of its last start, or else one of those that are installed.
fn own_binaries(cluster: &Cluster, installed: impl FnOnce() -> Vec<Binaries>) -> Option<Binaries> {
    let is_its_own = |found: &Binaries| found.version.cluster_name() == cluster.name();
    cluster.binaries().or_else(|| installed().into_iter().find(is_its_own))
}

/// The binaries that are named, or the newest that are installed.
pub(crate) fn binaries(bin_dir: Option<&Path>, path: Option<&OsStr>) -> Result<Binaries, Error> {
    bin_dir.map_or_else(|| newest(path), Binaries::named)
}

fn newest(path: Option<&OsStr>) -> Result<Binaries, Error> {
    let (installed, passed_over) = Binaries::installed(path);
    installed.into_iter().next().ok_or_else(|| {
        let looked = "looked for by pg_config, on PATH and in the usual places".to_owned();
        Error::NoBinaries { looked: [vec![looked], passed_over].concat().join("\n  cause: ") }
    })
}

/// Starts a cluster that was started before. If its superuser's password is lost, the superuser gets a new one.
fn start_kept(
    cluster: &Cluster,
    binaries: &Binaries,
    durability: Durability,
    wait: Duration,
    say: Say<'_>,
) -> Result<Running, Error> {
    match start(cluster, binaries, durability, &[], wait, say) {
        Err(Error::PasswordLost { data, words }) => {
            say(&format!(
                "the superuser's password of the cluster in {} is lost ({words}): stopping the server, with all of its \
                 sessions, to give the superuser a new password",
                data.display()
            ));
            renew_password::renew_password(cluster, binaries, durability, wait)?;
            start(cluster, binaries, durability, &[], wait, say)
        }
        outcome => outcome,
    }
}

/// Copies the template and starts the copy. Neither was ever synced to the disk: after a crash of the
/// machine the template may be damaged, and is made anew, once.
fn start_fresh(
    data_dir: &DataDir,
    cluster: &Cluster,
    binaries: &Binaries,
    durability: Durability,
    wait: Duration,
    say: Say<'_>,
) -> Result<Running, Error> {
    let template = ClusterTemplate::get(data_dir, binaries, say)?;
    template.copy_to(cluster.directory())?;
    match start(cluster, binaries, durability, &[], wait, say) {
        Err(Error::Exited { tail, .. }) => {
            say(&format!(
                "a copy of the kept template does not start, so the template is made again; the copy's log ended:\n{tail}"
            ));
            clear(cluster)?;
            template.delete()?;
            ClusterTemplate::get(data_dir, binaries, say)?.copy_to(cluster.directory())?;
            let again = start(cluster, binaries, durability, &[], wait, say);
            if again.is_err() {
                clear(cluster)?;
            }
            again
        }
        outcome => outcome,
    }
}

/// Makes room for a new cluster where a broken one is, which may hold somebody's work: it is renamed,
/// and deleted by `purge` alone. Whole clusters are renamed into place, so that it is none of our own
/// unfinished ones; it may be one whose disk is not mounted.
fn put_aside(cluster: &Cluster, missing: &str, say: Say<'_>) -> Result<(), Error> {
    let directory = cluster.directory();
    match fs::remove_dir(directory) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(_) => {}
    }
    let aside = put_aside_name(directory);
    fs::rename(directory, &aside).map_err(Error::io("put aside", directory))?;
    say(&format!(
        "the cluster in {} cannot start ({missing}): it is put aside as {}, with all that it holds; \
         if only its disk was not mounted, stop the new server and rename it back",
        directory.display(),
        aside.display(),
    ));
    Ok(())
}

/// Deletes a cluster that was made a moment ago and never served.
fn clear(cluster: &Cluster) -> Result<(), Error> {
    remove_tree(cluster.directory())
}
