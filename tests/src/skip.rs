//! What a machine need not have.

use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Whether a program is there. Where it is not, the test that needs it says so and ends.
#[must_use]
#[track_caller]
pub fn has(program: &str, package: &str) -> bool {
    // Not every program knows `--version` and ends well: what counts is that there is one.
    let is_there = Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok();
    if !is_there {
        skipped(&format!("{program} is not installed (Debian's package {package})"));
    }
    is_there
}

/// Says that a test is skipped, and why. With `TESTS_MAY_SKIP=no`, as the project's own check has it, that is a
/// failure: what is skipped there is skipped for ever.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "the one variable that is the tests' own")]
pub fn skipped(reason: &str) {
    assert!(std::env::var_os("TESTS_MAY_SKIP").is_none_or(|value| value != "no"), "{reason}");
    // Not by a macro: cargo keeps what those print of a test that passes.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}
