//! The tests of this package that are called by numbers of failure modes, as the sources have them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::list::Number;

/// A test of failure modes.
pub(crate) struct Test {
    /// Its target, its modules and its function: `setup::reset::f32_…`.
    pub(crate) name: String,
    pub(crate) numbers: Vec<Number>,
    /// When its target's newest file was written.
    pub(crate) changed: SystemTime,
}

impl Test {
    pub(crate) fn function(&self) -> &str {
        self.name.rsplit("::").next().unwrap()
    }

    pub(crate) fn target(&self) -> &str {
        self.name.split("::").next().unwrap()
    }
}

pub(crate) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for target in entries(&directory()) {
        let files = files(&target);
        let changed = files.iter().map(|file| fs::metadata(file).unwrap().modified().unwrap()).max().unwrap();
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
            let text = fs::read_to_string(file).unwrap();
            let functions = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn ")?.split('(').next());
            tests.extend(functions.filter_map(|function| {
                let numbers: Vec<_> = function.split('_').map_while(Number::parse).collect();
                let name = format!("{}::{function}", module(file));
                (!numbers.is_empty()).then_some(Test { name, numbers, changed })
            }));
        }
    }
    tests
}

/// The names of this package's test targets.
pub(crate) fn targets() -> BTreeSet<String> {
    entries(&directory()).iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// Removes what tests have seen that are there no more.
pub(crate) fn sweep(tests: &[Test]) {
    let Ok(entries) = fs::read_dir(tests::sightings()) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if !tests.iter().any(|test| path.ends_with(&test.name)) {
            fs::remove_file(path).unwrap();
        }
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() { entries(path).iter().flat_map(|path| files(path)).collect() } else { vec![path.to_owned()] }
}

/// `setup::reset` for `setup/reset.rs`, `setup` for `setup/main.rs`.
fn module(file: &Path) -> String {
    let path = file.strip_prefix(directory()).unwrap().with_extension("");
    let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).filter(|part| *part != "main").collect();
    parts.join("::")
}
