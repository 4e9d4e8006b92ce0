//! One maker at a time: the lock that every change to a data directory is made under, and turns of programs.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process,
    time::{Duration, Instant},
};

use nix::unistd::geteuid;
use pg_config::short_digest;

use crate::{Error, files::make_directory, poll};

/// Held until dropped; the operating system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

/// Takes the lock, waiting for whoever holds it. Threads of one process exclude each other too.
pub(crate) fn acquire(path: &Path, wait: Duration) -> Result<Lock, Error> {
    let taken = poll::until(Instant::now() + wait, || attempt(path).transpose());
    taken.unwrap_or_else(|| {
        let holder = fs::read_to_string(path).unwrap_or_default();
        let holder = match holder.trim() {
            "" => "another process".to_owned(),
            pid => format!("the process {pid}"),
        };
        Err(Error::Locked { path: path.to_owned(), holder, waited: wait })
    })
}

fn attempt(path: &Path) -> Result<Option<Lock>, Error> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(Error::io("open", path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
    }
    // Whoever held it may have been `db-stop --purge`: then our file is deleted, and the name free.
    let ours = file.metadata().map_err(Error::io("look at", path))?;
    if fs::metadata(path).map(|named| (named.dev(), named.ino())).ok() != Some((ours.dev(), ours.ino())) {
        return Ok(None);
    }
    // For the message of whoever waits; a failure here changes nothing.
    let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", process::id()));
    Ok(Some(Lock { file }))
}

/// The right to run a program that only one at a time may run, of all that this user starts on this machine.
///
/// [`Group::spawn`](crate::Group::spawn) hands it to the shell that ends the program when this process is gone: so a
/// turn lasts until the program has ended, and not only until this process has.
#[derive(Debug)]
pub struct Turn {
    pub(crate) file: File,
    /// Deleted by who ends the turn.
    pub(crate) path: PathBuf,
}

impl Turn {
    /// Takes the turn for what is named, or waits for it: `None` where that took too long.
    ///
    /// # Errors
    ///
    /// The directory for temporary files, `pg-server-UID` in it, cannot be used, or is open to others.
    pub fn take(what: &str, wait: Duration) -> Result<Option<Self>, Error> {
        let directory = std::env::temp_dir().join(format!("pg-server-{}", geteuid()));
        make_directory(&directory, 0o700)?;
        // A name that all may guess, where all may write.
        let found = fs::symlink_metadata(&directory).map_err(Error::io("look at", &directory))?;
        let (owner, us) = (found.uid(), geteuid().as_raw());
        if owner != us {
            return Err(Error::OtherOwner { path: directory, owner, us });
        }
        if !found.is_dir() || found.mode() & 0o077 != 0 {
            return Err(Error::NotOurs { path: directory });
        }
        let path = directory.join(short_digest(what.as_bytes()));
        match acquire(&path, wait) {
            Ok(Lock { file }) => Ok(Some(Self { file, path })),
            Err(Error::Locked { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
