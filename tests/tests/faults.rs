//! A sample of `cargo xtask faults`: with what it prepares, a minute on a quiet machine.

use std::process::Command;

/// The same cases on each machine; on a slow one the first of them.
const SAMPLE: [&str; 6] = ["--sample", "40", "--most", "30", "--jobs", "2"];

#[test]
fn a_sample_of_the_faults_is_survived() {
    let output = Command::new(env!("CARGO_BIN_EXE_faults")).args(SAMPLE).output();
    let output = output.expect("cargo builds a package's programs before its tests");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    println!("{}", text(&output.stdout));
    assert!(output.status.success(), "{}\n{}", text(&output.stderr), text(&output.stdout));
}
