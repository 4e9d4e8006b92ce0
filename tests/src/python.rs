//! Python with packages from PyPI, for the readers that are written in it.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{cluster::search_path, has, skipped};

/// A Python that has the packages of a list, installed once for it and for the list into a directory below
/// `kept`, and sees nothing of this process's environment but `PATH`. None where it, or what is required, is not to
/// be had.
pub fn python(requirements: &Path, kept: &Path) -> Option<Command> {
    let (python, packages) = interpreter(requirements, kept)?;
    let mut command = Command::new(python);
    command.env_clear().envs(search_path().map(|path| ("PATH", path))).env("PYTHONPATH", packages);
    // `-B`: nothing is written beside the script; `-s`: nothing of this user's own is seen.
    command.args(["-B", "-s"]);
    Some(command)
}

/// Python's own program, and the directory of the packages.
fn interpreter(requirements: &Path, kept: &Path) -> Option<(PathBuf, PathBuf)> {
    if !has("python3", "python3") {
        return None;
    }
    // What is on the path may be a wrapper that chooses a version.
    let said = said(Command::new("python3").args(["-c", "import sys; print(sys.executable); print(sys.version)"]));
    let (python, version) = said.split_once('\n').unwrap();
    let mut key = DefaultHasher::new();
    (python, version, fs::read_to_string(requirements).unwrap()).hash(&mut key);
    let packages = kept.join(format!("readers-python-{:016x}", key.finish()));
    let lock = File::create(packages.with_extension("lock")).unwrap();
    // Another test process may be installing them.
    lock.lock().unwrap();
    if !packages.exists() {
        install(Path::new(python), requirements, &packages)?;
    }
    Some((python.into(), packages))
}

/// Installs the packages whole, or not at all.
fn install(python: &Path, requirements: &Path, packages: &Path) -> Option<()> {
    let pip = |arguments: &[&str]| Command::new(python).args(["-m", "pip"]).args(arguments).output().unwrap();
    if !pip(&["--version"]).status.success() {
        skipped("python3 has no pip (Debian's package python3-pip)");
        return None;
    }
    let part = packages.with_extension("part");
    let _ = fs::remove_dir_all(&part);
    let [from, to] = [requirements, &part].map(|path| path.to_str().unwrap());
    // No dependency beyond the list, and nothing that would have to be compiled.
    let install =
        pip(&["install", "--quiet", "--no-deps", "--only-binary=:all:", "--target", to, "--requirement", from]);
    if !install.status.success() {
        skipped(&format!("what {from} names cannot be installed: {}", words(&install)));
        return None;
    }
    fs::rename(&part, packages).unwrap();
    Some(())
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", words(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
