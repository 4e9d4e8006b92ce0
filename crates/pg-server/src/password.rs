//! Passwords that we made: each in a file of its own that only we read.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use pg_config::Password;

use crate::{
    LocalError,
    data_dir::{DataDir, make_directory, unfinished},
};

/// The password of a role on the servers that we start: the kept one, or a generated one that is kept
/// from now on. Callers at the same time get the same.
///
/// `data_dir` is one that [`find`](crate::find) started a server in.
pub fn app_password(data_dir: &Path, role: &str) -> Result<Password, LocalError> {
    let open = DataDir::open(data_dir)?.ok_or_else(|| {
        LocalError::io("keep a password in", data_dir)(io::Error::new(
            io::ErrorKind::NotFound,
            "no server was started there",
        ))
    })?;
    make_directory(&open.passwords(), 0o700)?;
    let path = open.passwords().join(file_name(role));
    if let Some(password) = read(&path)? {
        return Ok(password);
    }
    let password = Password::generate();
    let draft = unfinished(&open.passwords());
    write(&draft, &password)?;
    // A link is made with its content, or not at all where another was quicker.
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft).map_err(LocalError::io("delete", &draft))?;
    match linked {
        Ok(()) => Ok(password),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match read(&path)? {
            Some(password) => Ok(password),
            None => Err(LocalError::io("read a password from", &path)(io::Error::other(
                "it is empty or not text [delete it: the next db-setup makes a new password, and gives it to the role]",
            ))),
        },
        Err(error) => Err(LocalError::io("write", &path)(error)),
    }
}

/// The password in this file; `None` where there is no file, or an empty or garbled one (a crash of the machine).
pub(crate) fn read(path: &Path) -> Result<Option<Password>, LocalError> {
    let mode = fs::metadata(path).map_or(0, |found| found.mode());
    if mode & 0o077 != 0 {
        let (path, mode) = (path.to_owned(), mode & 0o7777);
        return Err(LocalError::TooOpen { path, mode, right: "read or write the password in", change: "go=" });
    }
    match fs::read_to_string(path) {
        Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::InvalidData].contains(&error.kind()) => Ok(None),
        Err(error) => Err(LocalError::io("read", path)(error)),
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => Ok(Some(Password::new(text.trim()))),
    }
}

/// Writes a new file with mode 0600.
pub(crate) fn write(path: &Path, password: &Password) -> Result<(), LocalError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(password.reveal().as_bytes()));
    written.map_err(LocalError::io("write", path))
}

/// Writes a file, whole or not at all, in the place of the one that is there.
pub(crate) fn replace(path: &Path, password: &Password) -> Result<(), LocalError> {
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    write(&draft, password)?;
    fs::rename(&draft, path).map_err(LocalError::io("write", path))
}

/// A role may be named `../x`, and `Aura` is not `aura` (but on macOS its file would be): all but small
/// letters, digits and `_` are written as `%` and two digits.
fn file_name(role: &str) -> PathBuf {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    role.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_file_of_its_own() {
        for (role, name) in [("aura_user", "aura_user"), ("Aura", "%41ura"), ("../x", "%2E%2E%2Fx"), ("é", "%C3%A9")] {
            assert_eq!(file_name(role), Path::new(name));
        }
    }
}
