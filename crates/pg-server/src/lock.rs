//! One maker at a time: the lock that every change to a data directory is made under.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    process,
    time::{Duration, Instant},
};

use crate::{Error, poll};

/// Held until dropped; the operating system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
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
    Ok(Some(Lock { _file: file }))
}
