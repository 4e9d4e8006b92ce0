//! The password of a role on the servers that we start: each in a file of its own.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use pg_config::Password;

use crate::{
    Error,
    data_dir::DataDir,
    files::{make_directory, unfinished},
    password,
};

/// The password of a role on the servers that we start: the kept one, or a generated one that is kept
/// from now on. Callers at the same time get the same.
///
/// `data_dir` is one that [`find`](crate::find) started a server in.
pub fn app_password(data_dir: &Path, role: &str) -> Result<Password, Error> {
    let open = DataDir::open(data_dir)?.ok_or_else(|| {
        Error::io("keep a password in", data_dir)(io::Error::new(
            io::ErrorKind::NotFound,
            "no server was started there",
        ))
    })?;
    make_directory(&open.passwords(), 0o700)?;
    let path = open.passwords().join(file_name(role));
    if let Some(password) = password::read(&path)? {
        return Ok(password);
    }
    let password = Password::generate();
    let draft = unfinished(&open.passwords());
    password::write(&draft, &password)?;
    // A link is made with its content, or not at all where another was quicker.
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft).map_err(Error::io("delete", &draft))?;
    match linked {
        Ok(()) => Ok(password),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match password::read(&path)? {
            Some(password) => Ok(password),
            None => Err(Error::io("read a password from", &path)(io::Error::other(
                "it is empty or not text\n  help: delete it: the next db-setup makes a new password, and gives it to the role",
            ))),
        },
        Err(error) => Err(Error::io("write", &path)(error)),
    }
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
