//! A directory of the server's user, looked into without trust in that user.
//!
//! Where we are root, the data directory is another user's: any file and any directory in it may be replaced at any
//! moment, by a link to a file of ours, by a pipe on which we would wait, by a file without end. So nothing in it is
//! opened by its path: each step is taken from the descriptor of the step before and follows no link.

use std::{
    ffi::{OsStr, OsString},
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, OpenOptionsExt},
    },
    path::Path,
};

use nix::{
    dir::{Dir, Type},
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::stat::Mode,
};

/// The open directory. Names are relative to it: `global/pg_control`.
pub(crate) struct ServerDir {
    directory: File,
    /// Its owner's user id. Files of others are refused: a hard link needs no right to the file.
    owner: u32,
}

impl ServerDir {
    /// Opens a directory whose parent is ours.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let directory = OpenOptions::new().read(true).custom_flags(OFlag::O_DIRECTORY.bits()).open(path)?;
        let owner = directory.metadata()?.uid();
        Ok(Self { directory, owner })
    }

    /// The content of a regular file; one that is longer than `limit` bytes is an error.
    pub(crate) fn read(&self, name: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.file(name)?.take(limit as u64 + 1).read_to_end(&mut content)?;
        if content.len() > limit {
            return Err(io::Error::other(format!("it is larger than {limit} bytes\n  help: {DELETE}")));
        }
        Ok(content)
    }

    /// Writes a regular file that is there.
    pub(crate) fn overwrite(&self, name: &Path, text: &str) -> io::Result<()> {
        let mut file = self.regular(name, OFlag::O_WRONLY)?;
        file.set_len(0)?;
        file.write_all(text.as_bytes())
    }

    /// A regular file, to be read.
    pub(crate) fn file(&self, name: &Path) -> io::Result<File> {
        self.regular(name, OFlag::O_RDONLY)
    }

    /// A directory in it; `""` is the directory itself.
    pub(crate) fn within(&self, name: &Path) -> io::Result<Self> {
        Ok(Self { directory: self.walk(name)?, owner: self.owner })
    }

    /// What it holds: names, and what each is, where the file system says.
    pub(crate) fn entries(self) -> io::Result<Vec<(OsString, Option<Type>)>> {
        let mut directory = Dir::from_fd(self.directory.into())?;
        let mut entries = Vec::new();
        for entry in directory.iter() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                entries.push((name.to_owned(), entry.file_type()));
            }
        }
        Ok(entries)
    }

    /// Opens without waiting, and looks at what was opened: what has that name may be another file by now.
    fn regular(&self, name: &Path, access: OFlag) -> io::Result<File> {
        let refused = || {
            let owner = self.owner;
            io::Error::other(format!(
                "it is not a regular file of the user {owner}, whose directory it is in\n  help: {DELETE}"
            ))
        };
        // One step takes no descriptor of its own.
        let parent =
            name.parent().filter(|parent| *parent != Path::new("")).map(|parent| self.walk(parent)).transpose()?;
        let flags = access | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let opened = openat(
            parent.as_ref().unwrap_or(&self.directory),
            name.file_name().unwrap_or_default(),
            flags,
            Mode::empty(),
        );
        let file = match opened {
            // A link; a pipe that nobody reads, or a socket; a directory.
            Err(Errno::ELOOP | Errno::ENXIO | Errno::EOPNOTSUPP | Errno::EISDIR) => return Err(refused()),
            opened => File::from(opened?),
        };
        let found = file.metadata()?;
        if found.is_file() && found.uid() == self.owner { Ok(file) } else { Err(refused()) }
    }

    /// A directory in it.
    fn walk(&self, name: &Path) -> io::Result<File> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let step = |from: &File, name: &OsStr| Ok(File::from(openat(from, name, flags, Mode::empty())?));
        name.iter().try_fold(step(&self.directory, OsStr::new("."))?, |from, name| step(&from, name))
    }
}

const DELETE: &str = "delete it, if it is not yours";
