//! What the tests of failure modes have seen: a file a test, beside the programs that were tested, which the
//! target `what_was_seen` makes one table of.

use std::{fs, path::PathBuf, thread, time::SystemTime};

use crate::workspace::{programs, twin};

/// What the test of a failure mode has seen in this run, in one sentence: the test's last line.
#[track_caller]
pub fn seen(what: &str) {
    assert!(note(what), "only a test that is called by the number of a failure mode has seen one");
}

/// The directory of the files, each of which is called as its test is: `setup::reset::f32_…`.
pub fn sightings() -> PathBuf {
    programs().join("seen")
}

/// When the programs were built that the tests have run. Cargo builds them anew whenever they or the helpers
/// of this package have changed: what was seen before was seen of others.
pub fn built() -> SystemTime {
    let of = |program: &str| fs::metadata(twin(program)).unwrap().modified().unwrap();
    of("twin-xtask").max(of("twin-aura"))
}

/// Notes it, if the present test is one of a failure mode.
pub(crate) fn note(what: &str) -> bool {
    let Some(file) = of_this_test() else { return false };
    fs::create_dir_all(sightings()).unwrap();
    fs::write(file, what).unwrap();
    true
}

/// Forgets what an earlier run of the present test has seen: this one may fail.
pub(crate) fn forget() {
    if let Some(file) = of_this_test() {
        let _ = fs::remove_file(file);
    }
}

/// Rust calls a test's thread as the test.
fn of_this_test() -> Option<PathBuf> {
    let name = thread::current().name()?.to_owned();
    let function = name.rsplit("::").next()?.as_bytes();
    let is_numbered = matches!(function, [b'f' | b'm', digit, ..] if digit.is_ascii_digit());
    // Cargo calls a test program as its target, and adds a digest.
    let program = std::env::current_exe().unwrap();
    let target = program.file_name()?.to_str()?.rsplit_once('-')?.0;
    is_numbered.then(|| sightings().join(format!("{target}::{name}")))
}
