//! `~/.pgpass` and its kin (the manual's section 34.16).

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{Address, Host, Password, host::DEFAULT_DIRECTORY};

/// The lines of a password file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passfile {
    path: PathBuf,
    /// `host:port:database:role:password`; all of it is as secret as the password.
    lines: Vec<Password>,
}

/// Why a password file is not used. libpq warns and goes on without it.
#[derive(Debug, Error)]
pub enum PassfileError {
    /// Others may read it.
    #[error("{} may be read by others, and is not used: chmod 600 {}", .0.display(), .0.display())]
    Permissions(PathBuf),
    /// It is a directory, a pipe or the like.
    #[error("{} is not a plain file, and is not used", .0.display())]
    NotAFile(PathBuf),
    /// It is there and cannot be read.
    #[error("cannot read {}: {}", .0.display(), .1)]
    Unreadable(PathBuf, io::Error),
}

impl Passfile {
    /// Reads the file; one that is not there is empty.
    pub fn read(path: &Path) -> Result<Self, PassfileError> {
        let unreadable = |error| PassfileError::Unreadable(path.to_owned(), error);
        let metadata = match path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            metadata => metadata.map_err(unreadable)?,
        };
        if !metadata.is_file() {
            return Err(PassfileError::NotAFile(path.to_owned()));
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(PassfileError::Permissions(path.to_owned()));
        }
        let text = std::fs::read(path).map_err(unreadable)?;
        Ok(Self { path: path.to_owned(), lines: lines(&String::from_utf8_lossy(&text)) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The first line's password that fits; an empty one is none. The server's default socket is called `localhost` there.
    pub fn password(&self, address: &Address, database: &str, role: &str) -> Option<Password> {
        let host = match &address.host {
            Host::Unix(directory) if directory == Path::new(DEFAULT_DIRECTORY) => "localhost".to_owned(),
            host => host.to_string(),
        };
        let wanted = [host.as_str(), &address.port.to_string(), database, role];
        let password =
            self.lines.iter().find_map(|line| wanted.iter().try_fold(line.reveal(), |rest, w| after(rest, w)))?;
        Some(Password::new(unescaped(password))).filter(|password| !password.reveal().is_empty())
    }
}

fn lines(text: &str) -> Vec<Password> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| Password::new(line.trim_end_matches('\r'))).collect()
}

/// What follows a field that is `*` or what is wanted. As in libpq a colon of what is wanted need not be
/// escaped in the line: `::1:5432:…` is about the host `::1`.
fn after<'a>(line: &'a str, wanted: &str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix("*:") {
        return Some(rest);
    }
    let mut rest = line;
    for character in wanted.chars() {
        rest = rest.strip_prefix('\\').unwrap_or(rest).strip_prefix(character)?;
    }
    rest.strip_prefix(':')
}

/// The password's end is the line's, or a colon; `\` takes the next character as it is.
fn unescaped(field: &str) -> String {
    let mut text = String::new();
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' => break,
            '\\' => text.push(characters.next().unwrap_or('\\')),
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let text = "# h:1:d:u:no\nh:1:d:u:one\\:\\\\two\n*:*:*:odd\\:name:three\nlocalhost:5432:*:*:four:and more\n::1:1:*:*:six\n*:*:*:*:\nshort:line\n";
        let file = Passfile { path: PathBuf::new(), lines: lines(text) };
        let ask = |host: &str, port, role| {
            let address = Address { host: Host::parse(host), port };
            file.password(&address, "d", role).map(|found| found.reveal().to_owned())
        };
        assert_eq!(ask("h", 1, "u").unwrap(), "one:\\two");
        assert_eq!(ask("elsewhere", 9, "odd:name").unwrap(), "three");
        assert_eq!(ask("/var/run/postgresql", 5432, "x").unwrap(), "four");
        assert_eq!(ask("h", 2, "u"), None);
        assert_eq!(ask("::1", 1, "u").unwrap(), "six");
        assert!(!format!("{file:?}").contains("three"));
    }
}
