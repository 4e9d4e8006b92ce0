//! A server for a test or a benchmark: a fresh cluster at a given place, gone when its guard is dropped.

use std::{
    fmt, fs, io, mem,
    path::{self, Path},
    time::Duration,
};

use pg_config::{ConnInfo, Durability};

use super::{cluster::Cluster, start::start, user::Account};
use crate::{
    Binaries, ClusterTemplate, Error, Local, Say,
    files::{make_directories, remove_tree},
};

/// A running server that ends, and whose directory is deleted, on drop.
pub struct Throwaway {
    /// Its superuser's connection to the database `postgres`.
    pub superuser: ConnInfo,
    /// Where it lives.
    pub local: Local,
    cluster: Cluster,
}

/// Copies the template to a new directory, and starts a server there.
///
/// `directory` must not exist, or be empty; what leads there must be open to the user whom servers run
/// as. `settings` win over ours: `&[("wal_level", "replica")]`. The server shows nothing of the workspace
/// that made it, and no command finds it again.
pub fn throwaway(
    template: &ClusterTemplate,
    binaries: &Binaries,
    directory: &Path,
    settings: &[(&str, &str)],
    wait: Duration,
    say: Say<'_>,
) -> Result<Throwaway, Error> {
    let account = Account::choose()?;
    let directory = path::absolute(directory).map_err(Error::io("make", directory))?;
    let (Some(parent), Some(name)) = (directory.parent(), directory.file_name()) else {
        return Err(Error::NotOurs { path: directory });
    };
    account.check_passage(parent)?;
    account.check_place(parent)?;
    make_directories(parent, account.passage_mode())?;
    // A server knows its data directory without symbolic links.
    let directory = fs::canonicalize(parent).map_err(Error::io("look at", parent))?.join(name);
    if let Err(error) = fs::remove_dir(&directory)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(Error::NotOurs { path: directory });
    }
    template.copy_to(&directory)?;
    let cluster = Cluster::at(directory, account);
    match start(&cluster, binaries, Durability::Development, settings, wait, say) {
        Ok(running) => {
            let superuser = running.login.superuser.clone();
            Ok(Throwaway { superuser, local: Local::of(&cluster, &running), cluster })
        }
        Err(error) => {
            end(&cluster);
            Err(error)
        }
    }
}

/// Ends the server that [`throwaway`] has started in this directory, in a process that has ended without ending it. None
/// there: fine. The directory stays.
pub fn end_throwaway(directory: &Path) -> Result<(), Error> {
    let account = Account::choose()?.of(&directory.join("data"));
    Cluster::at(directory.to_owned(), account).quit().map(drop)
}

impl Throwaway {
    /// Stops the server and keeps its directory as a template: each copy begins with what was made on this server.
    ///
    /// `wait` bounds the time in which the server writes everything out.
    pub fn into_template(self, wait: Duration) -> Result<ClusterTemplate, Error> {
        self.cluster.stop(wait)?;
        let kept = ClusterTemplate::at(self.cluster.directory());
        // Its drop would delete the directory.
        mem::forget(self);
        kept
    }

    /// Ends it, as its drop does, and says where that fails.
    pub(crate) fn end(&self) -> Result<(), Error> {
        self.cluster.quit().map(drop)
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        end(&self.cluster);
    }
}

impl fmt::Debug for Throwaway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a throwaway server on port {}, process {}", self.superuser.port, self.local.pid)
    }
}

/// Nobody wants the data: SIGQUIT, and away with them.
fn end(cluster: &Cluster) {
    if cluster.quit().is_ok() {
        let _ = remove_tree(cluster.directory());
    }
}
