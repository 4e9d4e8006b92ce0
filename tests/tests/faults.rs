//! A sample of `cargo xtask faults`: a minute of it.

use std::process::Command;

#[test]
fn a_sample_of_the_faults_is_survived() {
    let output = Command::new(env!("CARGO_BIN_EXE_faults")).args(["--sample", "60", "--jobs", "2"]).output();
    let output = output.expect("cargo builds a package's programs before its tests");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    println!("{}", text(&output.stdout));
    assert!(output.status.success(), "{}\n{}", text(&output.stderr), text(&output.stdout));
}
