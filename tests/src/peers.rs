//! Programs that the tests use and that the tests' own build does not make. Each is built once: by `prepare` before
//! the tests, or by the first test that needs it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::SystemTime,
};

use crate::{
    apart::{alone, cargo, kept, programs},
    skipped,
};

/// The directory of the programs of `tests/peers`: `reader-sqlx` and `sqlx`. None where their sources cannot be
/// downloaded.
pub fn peers() -> Option<PathBuf> {
    let package = repository().join("tests/peers");
    let target = kept("peers");
    let programs = target.join("debug");
    let build = |network: &[&str]| {
        let mut cargo = cargo();
        cargo.args(["build", "--quiet", "--locked"]).args(network).arg("--target-dir").arg(&target);
        cargo.current_dir(&package).output().unwrap()
    };
    let built = once(&target, &[&package], || {
        // Offline first: a build that has all sources does not wait for the network.
        let offline = build(&["--offline"]);
        if offline.status.success() { Ok(()) } else { succeeded(&build(&[])) }
    });
    match built {
        Ok(()) => Some(programs),
        Err(words) => {
            let fetched = cargo().args(["fetch", "--locked"]).current_dir(&package).output().unwrap();
            assert!(!fetched.status.success(), "{words}");
            skipped(&format!("the packages of tests/peers cannot be downloaded: {words}"));
            None
        }
    }
}

/// The program that speaks to the container engine.
pub fn container_helper() -> PathBuf {
    let program = programs().join("pg-container");
    let sources = ["crates/pg-container", "Cargo.lock", "Cargo.toml"].map(|path| repository().join(path));
    let sources: Vec<_> = sources.iter().map(PathBuf::as_path).collect();
    // `cargo xtask` and the project's own check build it too.
    if !fs::metadata(&program).is_ok_and(|program| is_newer(program.modified().unwrap(), &sources)) {
        let build = || output(cargo().args(["build", "--quiet", "--locked", "--package", "pg-container"]));
        once(&kept("pg-container"), &sources, build).unwrap_or_else(|words| panic!("{words}"));
    }
    program
}

/// Builds what is newer in its sources than in the last build that succeeded. One process builds; the others wait.
pub(crate) fn once(target: &Path, sources: &[&Path], build: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let stamp = target.with_extension("built");
    let is_built = || fs::metadata(&stamp).is_ok_and(|stamp| is_newer(stamp.modified().unwrap(), sources));
    if is_built() {
        return Ok(());
    }
    let _alone = alone(target);
    if is_built() {
        return Ok(());
    }
    // The time before the build: a source may change while it is compiled.
    let start = SystemTime::now();
    build()?;
    fs::File::create(&stamp).and_then(|file| file.set_modified(start)).unwrap();
    Ok(())
}

/// Whether something of this time is newer than every file of its sources.
fn is_newer(built: SystemTime, sources: &[&Path]) -> bool {
    sources.iter().all(|source| match fs::read_dir(source) {
        Ok(entries) => {
            let paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            is_newer(built, &paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())
        }
        Err(_) => fs::metadata(source).unwrap().modified().unwrap() < built,
    })
}

/// Runs a command to its end; its stderr where it fails.
pub(crate) fn output(command: &mut Command) -> Result<(), String> {
    succeeded(&command.output().unwrap())
}

fn succeeded(output: &Output) -> Result<(), String> {
    let words = || String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(words()) }
}

/// The root of this repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
