//! Files that a move writes: new ones, which only this user can read.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

/// A file that goes with the value, unless it is kept.
pub(super) struct NewFile(Option<PathBuf>);

impl NewFile {
    /// Makes it, empty.
    pub(super) fn create(path: &Path) -> anyhow::Result<(Self, File)> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok((Self(Some(path.to_owned())), file))
    }

    /// Writes it, and has the disk hold it.
    pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<Self> {
        let (new, mut file) = Self::create(path)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(new)
    }

    /// Leaves it there.
    pub(super) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// Another move's file is not overwritten, but for an undo script that `is_of_nothing`.
pub(super) fn make_room(path: &Path, is_of_nothing: impl FnOnce(&str) -> bool) -> anyhow::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    let mut first = Vec::new();
    if found.is_file() && File::open(path).and_then(|file| file.take(4096).read_to_end(&mut first)).is_ok() {
        let first = String::from_utf8_lossy(&first);
        if is_of_nothing(&first) {
            return fs::remove_file(path).with_context(|| format!("remove {}", path.display()));
        }
    }
    refuse_existing(path)
}

/// No file is overwritten.
pub(super) fn refuse_existing(path: &Path) -> anyhow::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        bail!("{} is there already; nothing was moved\n  help: give another name", path.display());
    }
    Ok(())
}
