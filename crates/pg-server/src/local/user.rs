//! Whose the server's processes and files are: ours, or, as root, those of an unprivileged user.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::{
        fs::{MetadataExt, lchown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::{User, geteuid};

use crate::Error;

/// The user whom the server runs as. `initdb` and `postgres` refuse root.
#[derive(Clone, Debug)]
pub(crate) enum Account {
    /// The user we are.
    Own,
    /// We are root; the server's processes drop to this user.
    Dropped { name: String, uid: u32, gid: u32 },
}

impl Account {
    /// As root `postgres` where that user exists, else `nobody`; otherwise ourselves.
    pub(crate) fn choose() -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Ok(Self::Own);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .filter(|user| !user.uid.is_root())
            .map(|user| Self::Dropped { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() })
            .ok_or(Error::NoUnprivilegedUser)
    }

    /// The user of a data directory that is there: it stays that user's when `postgres` is made later.
    pub(crate) fn of(self, data: &Path) -> Self {
        let Self::Dropped { .. } = &self else { return self };
        match fs::metadata(data) {
            Ok(found) if found.uid() != 0 => {
                let user = User::from_uid(found.uid().into()).ok().flatten();
                let name = user.map_or_else(|| found.uid().to_string(), |user| user.name);
                Self::Dropped { name, uid: found.uid(), gid: found.gid() }
            }
            _ => self,
        }
    }

    /// The user id of the server's processes and files.
    pub(crate) fn uid(&self) -> u32 {
        match self {
            Self::Own => geteuid().as_raw(),
            Self::Dropped { uid, .. } => *uid,
        }
    }

    /// The mode of directories that only lead to the server's own: nobody but us lists them.
    pub(crate) fn passage_mode(&self) -> u32 {
        match self {
            Self::Own => 0o700,
            Self::Dropped { .. } => 0o711,
        }
    }

    /// Gives a file or directory (never what a symbolic link points to) to the server's user.
    pub(crate) fn give(&self, path: &Path) -> io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Dropped { uid, gid, .. } => lchown(path, Some(*uid), Some(*gid)),
        }
    }

    /// Makes the command run as the server's user; the standard library clears the other groups.
    pub(crate) fn apply(&self, command: &mut Command) {
        if let Self::Dropped { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
    }

    /// Whether the server's user gets to `postgres`, wherever it is linked to.
    pub(crate) fn check_program(&self, postgres: &Path) -> Result<(), Error> {
        self.check_passage(&fs::canonicalize(postgres).unwrap_or_else(|_| postgres.to_owned()))
    }

    /// Whether the server's user gets to this path, judged by the mode of each directory that really
    /// leads there, as far as they exist. Access control lists are not read.
    pub(crate) fn check_passage(&self, path: &Path) -> Result<(), Error> {
        let Self::Dropped { name, .. } = self else { return Ok(()) };
        for (directory, found) in existing(path)? {
            if !self.may(&found, 0o1) {
                return Err(Error::Untraversable {
                    user: name.clone(),
                    path: path.to_owned(),
                    directory,
                    mode: found.mode() & 0o7777,
                });
            }
        }
        Ok(())
    }

    /// Whether this path stays ours while we work there: the server's user owns and writes no directory that leads
    /// there, as far as they exist. In one like `/tmp` (sticky) everybody makes files, and leaves ours alone.
    pub(crate) fn check_place(&self, path: &Path) -> Result<(), Error> {
        let Self::Dropped { name, uid, .. } = self else { return Ok(()) };
        for (directory, found) in existing(path)? {
            let writes = self.may(&found, 0o2) && found.mode() & 0o1000 == 0;
            if writes || found.uid() == *uid {
                return Err(Error::Replaceable {
                    user: name.clone(),
                    path: path.to_owned(),
                    directory,
                    mode: found.mode() & 0o7777,
                });
            }
        }
        Ok(())
    }

    /// Whether the mode gives the server's user this right: 1 to enter, 2 to write.
    fn may(&self, directory: &Metadata, right: u32) -> bool {
        let Self::Dropped { uid, gid, .. } = self else { return true };
        let class = match (directory.uid() == *uid, directory.gid() == *gid) {
            (true, _) => right << 6,
            (false, true) => right << 3,
            (false, false) => right,
        };
        directory.mode() & class != 0
    }
}

/// The directories that really lead to a path, the innermost first, as far as they exist.
fn existing(path: &Path) -> Result<Vec<(PathBuf, Metadata)>, Error> {
    let there = path.ancestors().find_map(|ancestor| fs::canonicalize(ancestor).ok()).unwrap_or_default();
    let look = |directory: &Path| {
        let found = fs::metadata(directory).map_err(Error::io("look at", directory))?;
        Ok((directory.to_owned(), found))
    };
    there.ancestors().map(look).collect()
}
