//! Directories of the tests at places where any user may make one.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A directory that the tests share, which the server's unprivileged user can reach.
pub(crate) fn scratch(name: &str) -> PathBuf {
    own(pg_server::scratch().join(format!("aura-tests-{name}")))
}

/// A directory at a place where any user may make one: made, or one that is there already, if it is ours.
pub(crate) fn own(directory: PathBuf) -> PathBuf {
    if fs::create_dir(&directory).is_ok() {
        fs::set_permissions(&directory, Permissions::from_mode(0o711)).unwrap();
    }
    check_own(&directory).unwrap_or_else(|reason| panic!("{reason}"));
    directory
}

/// Whether a directory is ours or root's, and no other user can write it; `.ci/postgresql` has the same rule.
pub fn check_own(directory: &Path) -> Result<(), String> {
    let place = directory.display();
    let found = fs::symlink_metadata(directory).map_err(|error| format!("cannot look at {place}: {error}"))?;
    let own = fs::metadata("/proc/self").unwrap().uid();
    if found.is_dir() && [0, own].contains(&found.uid()) && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    let kind = match found.file_type() {
        kind if kind.is_dir() => "directory",
        kind if kind.is_symlink() => "symbolic link",
        _ => "regular or special file",
    };
    let (user, mode) = (found.uid(), found.mode() & 0o7777);
    Err(format!(
        "{place} is a {kind} of the user {user}, mode {mode:o}. The tests use a directory of their own user or of root, \
         which no other user can write [delete it and run this again]"
    ))
}

/// A directory that no test has used before.
pub(crate) fn unique(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    scratch("run").join(format!("{}-{number}-{name}", std::process::id()))
}
