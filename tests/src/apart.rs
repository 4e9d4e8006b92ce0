//! What tests need beyond this workspace: where it is kept, and who builds it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

use crate::binaries::search_path;

/// A place in the directory in which cargo builds: what is installed for tests is gone when it is.
#[must_use]
pub fn kept(name: &str) -> PathBuf {
    programs().parent().unwrap().join(name)
}

/// A program of this package.
pub(crate) fn twin(name: &str) -> PathBuf {
    programs().join(name)
}

/// Where cargo puts this package's programs: around the directory of the tests.
pub(crate) fn programs() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let directory = own.parent().unwrap();
    // A test is in `target/debug/deps`, a program in `target/debug`.
    if directory.ends_with("deps") { directory.parent().unwrap().to_owned() } else { directory.to_owned() }
}

/// Keeps every other test, of this process and of others, from what is kept there; for as long as the value lives.
pub fn alone(kept: &Path) -> File {
    let lock = File::create(kept.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    lock
}

/// `PATH` with a directory before all others.
#[must_use]
pub fn path_with(directory: &Path) -> String {
    let rest = search_path();
    let directories = std::iter::once(directory.to_owned()).chain(std::env::split_paths(&rest));
    std::env::join_paths(directories).unwrap().into_string().unwrap()
}

/// A cargo that does not see what the one around this test says of the package `tests`: build scripts ask
/// for such variables, and each change of them is a rebuild.
#[must_use]
pub fn cargo() -> Command {
    // By way of rustup, where there is one: a dependency's `rust-toolchain` file would have its say otherwise.
    let mut cargo = Command::new("cargo");
    remove(&mut cargo, pg_workflow::is_of_outer_cargo);
    cargo
}

/// One that works for another workspace, offline: of what is said to this one, of its server above all, it hears nothing.
#[must_use]
pub fn cargo_of(workspace: &Path, target: &Path) -> Command {
    let mut cargo = cargo();
    remove(&mut cargo, |name| {
        let prefixes = ["PG", "NEXTEST", "TESTS_", "GITHUB_"];
        prefixes.iter().any(|prefix| name.starts_with(prefix)) || pg_config::KEYS.iter().any(|key| key.name == name)
    });
    cargo.current_dir(workspace).env("CARGO_TARGET_DIR", target).env("CARGO_NET_OFFLINE", "true");
    cargo.env("PATH", search_path());
    cargo
}

#[expect(clippy::disallowed_methods, reason = "what is taken from the nested cargo must be known")]
fn remove(cargo: &mut Command, is_unwanted: impl Fn(&str) -> bool) {
    for (key, _) in std::env::vars_os() {
        if is_unwanted(&key.to_string_lossy()) {
            cargo.env_remove(&key);
        }
    }
}
