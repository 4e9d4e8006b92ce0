//! Report files. One that an earlier run has left would be taken for this run's; one that another user has put in its
//! place would lead us to write into a file that we never meant.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, absolute},
};

use anyhow::{Context as _, bail};
use nix::{
    fcntl::OFlag,
    unistd::{Gid, Group, User, geteuid},
};

/// Removes what is there, and proves that a report can be written.
pub(super) fn clear(path: &Path) -> anyhow::Result<()> {
    let file = create(path).with_context(|| cannot(path))?;
    // A pipe or a device stays what it is.
    if file.metadata().is_ok_and(|found| found.is_file()) {
        let _ = fs::remove_file(path);
    }
    Ok(())
}

pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let written = create(path).and_then(|mut file| Ok(file.write_all(text.as_bytes())?));
    written.with_context(|| cannot(path))
}

/// Adds to what others have written, where GitHub Actions says: its runner chose the directory.
pub(super) fn append(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = open(path, File::options().create(true).append(true));
    file.and_then(|mut file| Ok(file.write_all(text.as_bytes())?)).with_context(|| cannot(path))
}

/// An empty file.
fn create(path: &Path) -> anyhow::Result<File> {
    check_directory(path)?;
    let file = open(path, File::options().create(true).write(true))?;
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Opens a file itself, and none that it is a link to. It is emptied by the caller, once it is known to be the right one.
fn open(path: &Path, options: &mut OpenOptions) -> anyhow::Result<File> {
    let file = match options.custom_flags(OFlag::O_NOFOLLOW.bits()).open(path) {
        Err(_) if path.is_symlink() => bail!("it is a symbolic link"),
        opened => opened?,
    };
    let found = file.metadata()?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if found.is_file() && found.nlink() > 1 {
        bail!("the file has another name too (a hard link)");
    }
    if found.is_file() && found.uid() != geteuid().as_raw() && found.uid() != fs::metadata(directory)?.uid() {
        bail!("the file belongs to the user {}", found.uid());
    }
    Ok(file)
}

/// Whether no other user can put a link in the file's place, or has put one in that of a directory above it. A directory
/// like `/tmp` (sticky) is refused too: others make files of any name there.
fn check_directory(path: &Path) -> anyhow::Result<()> {
    let path = absolute(path)?;
    let directory = path.parent().unwrap_or(&path);
    for above in directory.ancestors() {
        let found = fs::symlink_metadata(above)?;
        if found.is_symlink() && ![0, geteuid().as_raw()].contains(&found.uid()) {
            bail!("{} is another user's link", above.display());
        }
    }
    let found = fs::metadata(directory)?;
    let mode = found.mode();
    if mode & 0o002 != 0 || (mode & 0o020 != 0 && !is_our_own(found.gid().into())) {
        bail!("other users can write in {} (mode {:o})", directory.display(), mode & 0o7777);
    }
    Ok(())
}

/// Whether a group is the one that many systems make for each user, without others in it.
fn is_our_own(group: Gid) -> bool {
    let names = (User::from_uid(geteuid()).ok().flatten(), Group::from_gid(group).ok().flatten());
    let (Some(user), Some(group)) = names else { return false };
    group.name == user.name && group.mem.iter().all(|member| *member == user.name)
}

fn cannot(path: &Path) -> String {
    format!("cannot write the report {}", path.display())
}
