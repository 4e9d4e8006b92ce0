//! Passwords that we made: each in a file of its own that only we read.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use pg_config::Password;

use crate::Error;

/// The password in this file; `None` where there is no file, or an empty or garbled one (a crash of the machine).
pub(crate) fn read(path: &Path) -> Result<Option<Password>, Error> {
    let mode = fs::metadata(path).map_or(0, |found| found.mode());
    if mode & 0o077 != 0 {
        let (path, mode) = (path.to_owned(), mode & 0o7777);
        return Err(Error::TooOpen { path, mode, right: "read or write the password in", change: "go=" });
    }
    match fs::read_to_string(path) {
        Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::InvalidData].contains(&error.kind()) => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => Ok(Some(Password::new(text.trim()))),
    }
}

/// Writes a new file with mode 0600.
pub(crate) fn write(path: &Path, password: &Password) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(password.reveal().as_bytes()));
    written.map_err(Error::io("write", path))
}

/// Writes a file, whole or not at all, in the place of the one that is there.
pub(crate) fn replace(path: &Path, password: &Password) -> Result<(), Error> {
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    write(&draft, password)?;
    fs::rename(&draft, path).map_err(Error::io("write", path))
}
