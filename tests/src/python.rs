//! Python, with the packages that a list names.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{alone, has, kept, path_with, scrubbed, skipped};

/// A Python, and the packages that were installed for it.
pub struct Python {
    /// Its own program.
    program: PathBuf,
    /// The packages' directory.
    packages: PathBuf,
}

impl Python {
    /// Python with what a `requirements.txt` names and nothing else, installed once for each list; none where
    /// it is not to be had.
    pub fn with(requirements: &Path) -> Option<Self> {
        if !has("python3", "python3") {
            return None;
        }
        // What is on the path may be a wrapper that chooses a version.
        let said = said(Command::new("python3").args(["-c", "import sys; print(sys.executable); print(sys.version)"]));
        let (program, version) = said.split_once('\n').unwrap();
        let mut key = DefaultHasher::new();
        (program, version, fs::read_to_string(requirements).unwrap()).hash(&mut key);
        let packages = kept(&format!("tests-python-{:016x}", key.finish()));
        let _alone = alone(&packages);
        if !packages.exists() {
            install(Path::new(program), requirements, &packages)?;
        }
        Some(Self { program: program.into(), packages })
    }

    /// Every list of packages that a test uses.
    pub fn lists() -> Vec<PathBuf> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let lists = ["readers/python", "readers/junit", "tools/django", "tools/wagtail", "tools/alembic"];
        lists.map(|directory| tests.join(directory).join("requirements.txt")).into()
    }

    /// What has every `python3` be this one, with its packages and nothing of this user's own.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        let own = self.program.parent().unwrap();
        let packages = self.packages.to_str().unwrap().to_owned();
        [("PATH", path_with(own)), ("PYTHONPATH", packages), ("PYTHONNOUSERSITE", "1".to_owned())]
    }

    /// The program with its packages, and with nothing of this process's environment but `PATH`.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = scrubbed(&self.program);
        // `-B`: nothing is written beside the script.
        command.arg("-B").envs(self.environment());
        command
    }
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
        skipped(&format!("{from} cannot be installed: {}", words(&install)));
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
