//! Report files. One that an earlier run has left would be taken for this run's.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use anyhow::Context as _;

/// Removes what is there, and proves that a report can be written.
pub(super) fn clear(path: &Path) -> anyhow::Result<()> {
    File::create(path).with_context(|| cannot(path))?;
    // A pipe, a device or a link stays what it is: emptied. So does a file of a directory that is not ours.
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) {
        let _ = fs::remove_file(path);
    }
    Ok(())
}

pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| cannot(path))
}

/// Adds to what others have written.
pub(super) fn append(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = File::options().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).with_context(|| cannot(path))
}

fn cannot(path: &Path) -> String {
    format!("cannot write the report {}", path.display())
}
