//! Directories and small files of ours, whatever the umask is.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::Error;

/// What is being made is named so, and renamed when it is whole.
const UNFINISHED: &str = ".new-";

/// Makes a directory, whatever the umask is; one that is there is left as it is.
pub(crate) fn make_directory(path: &Path, mode: u32) -> Result<(), Error> {
    match make_new_directory(path, mode) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome,
    }
}

/// The same; one that is there may be another user's, and is an error.
pub(crate) fn make_new_directory(path: &Path, mode: u32) -> Result<(), Error> {
    DirBuilder::new().mode(mode).create(path).map_err(Error::io("make the directory", path))?;
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(Error::io("set the mode of", path))
}

/// Makes a directory and those above it.
pub(crate) fn make_directories(path: &Path, mode: u32) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directories(parent, mode)?;
    }
    make_directory(path, mode)
}

/// An empty file that only we read and write, whatever the umask is.
pub(crate) fn create(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).map_err(Error::io("write", path))
}

/// Writes a small file that only we read and write.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    create(path)?.write_all(text.as_bytes()).map_err(Error::io("write", path))
}

/// Deletes a directory with all that is in it; none there is fine.
pub(crate) fn remove_tree(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("delete", path)(error)),
        _ => Ok(()),
    }
}

/// What is in a directory, hidden names left out; nothing where there is no directory.
pub(crate) fn listed(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        outcome => outcome.map_err(Error::io("list", directory))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("list", directory))?.path();
        if !path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(b".") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A name, not yet taken, for something that is being made in this directory.
pub(crate) fn unfinished(directory: &Path) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    directory.join(format!("{UNFINISHED}{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// Deletes what a killed process left unfinished in this directory. It costs space and nothing else, so a failure is no
/// error.
pub(crate) fn sweep_unfinished(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
