//! Copying a directory tree as fast as the file system allows.

use std::{
    fs::{OpenOptions, Permissions},
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use nix::dir::Type;

use super::{server_dir::ServerDir, user::Account};
use crate::files::make_new_directory;

/// A thousand small files are bound by system calls, not by the disk: 40 ms become 21 on two cores, and
/// more threads gain nothing.
const THREADS: usize = 4;

/// Copies a directory of the server's user, with the files and directories in it, to a new path in a directory of
/// ours, and gives all of it to that user.
///
/// The kernel copies, and shares blocks where the file system can (Btrfs, XFS). Modes are kept.
pub(crate) fn tree(from: &Path, to: &Path, account: &Account) -> io::Result<()> {
    let source = ServerDir::open(from)?;
    // Relative to both; a directory comes after those in it.
    let mut directories = Vec::new();
    let mut files = Vec::new();
    plan(&source, PathBuf::new(), to, &mut directories, &mut files)?;
    let next = AtomicUsize::new(0);
    let copy_some = || -> io::Result<()> {
        // Most files are in the directory of the one before.
        let mut open: Option<(&Path, ServerDir)> = None;
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let directory = file.parent().unwrap_or(file);
            let from = match open.take().filter(|(name, _)| *name == directory) {
                Some((_, kept)) => kept,
                None => source.within(directory)?,
            };
            let copied = copy(&from, file.file_name().unwrap_or_default().as_ref(), &to.join(file), account);
            copied.map_err(of(file))?;
            open = Some((directory, from));
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
    // Last, and from the inside out: nobody else can put a link where we still write or give.
    directories.iter().try_for_each(|directory| account.give(&to.join(directory)))
}

/// Copies as much of a file as it has when it is opened.
fn copy(source: &ServerDir, name: &Path, to: &Path, account: &Account) -> io::Result<()> {
    let file = source.file(name)?;
    let found = file.metadata()?;
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    copy.set_permissions(Permissions::from_mode(found.mode() & 0o777))?;
    io::copy(&mut file.take(found.len()), &mut copy)?;
    account.give(to)
}

/// Makes the directories, and lists the files.
fn plan(
    source: &ServerDir,
    directory: PathBuf,
    to: &Path,
    directories: &mut Vec<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> io::Result<()> {
    make_new_directory(&to.join(&directory), 0o700).map_err(io::Error::other)?;
    let entries = |name: &Path| source.within(name).and_then(ServerDir::entries);
    for (name, kind) in entries(&directory).map_err(of(&directory))? {
        let name = directory.join(name);
        match kind {
            Some(Type::Directory) => plan(source, name, to, directories, files)?,
            Some(_) => files.push(name),
            // Some file systems do not say.
            None if source.within(&name).is_ok() => plan(source, name, to, directories, files)?,
            None => files.push(name),
        }
    }
    directories.push(directory);
    Ok(())
}

fn of(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    let path = path.display().to_string();
    move |error| io::Error::new(error.kind(), format!("{path}: {error}"))
}
