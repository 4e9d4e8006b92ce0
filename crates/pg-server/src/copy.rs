//! Copying a directory tree as fast as the file system allows.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::{data_dir::make_directory, user::Account};

/// A thousand small files are bound by system calls, not by the disk: 40 ms become 21 on two cores, and
/// more threads gain nothing.
const THREADS: usize = 4;

/// Copies a directory of files and directories to a new path, and gives all of it to the server's user.
///
/// `fs::copy` clones where the file system can (APFS, Btrfs, XFS). Modes are kept.
pub(crate) fn tree(from: &Path, to: &Path, account: &Account) -> io::Result<()> {
    let mut directories = Vec::new();
    let mut files = Vec::new();
    plan(from, to, &mut directories, &mut files)?;
    let next = AtomicUsize::new(0);
    let copy_some = || -> io::Result<()> {
        while let Some((from, to)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            fs::copy(from, to)?;
            account.give(to)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..THREADS).map(|_| scope.spawn(copy_some)).collect();
        let mine = copy_some();
        others
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a copying thread died"))))
            .fold(mine, Result::and)
    })?;
    // Last, so that nobody else could put a link where we write as root.
    directories.iter().try_for_each(|directory| account.give(directory))
}

/// Makes the directories, and lists the files.
fn plan(from: &Path, to: &Path, directories: &mut Vec<PathBuf>, files: &mut Vec<(PathBuf, PathBuf)>) -> io::Result<()> {
    make_directory(to, 0o700).map_err(io::Error::other)?;
    directories.push(to.to_owned());
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type()? {
            kind if kind.is_dir() => plan(&from, &to, directories, files)?,
            kind if kind.is_file() => files.push((from, to)),
            _ => return Err(io::Error::other(format!("{} is neither a file nor a directory", from.display()))),
        }
    }
    Ok(())
}
