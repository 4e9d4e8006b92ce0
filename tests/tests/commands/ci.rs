//! `ci` on a small workspace of its own: what it reports of the tests, and how it parts them.

use std::fs;

use tests::{Run, Workspace};

/// A package that is called as the one that `ci` builds first: of its five tests one fails, and one is ignored.
fn throw_away() -> Workspace {
    let workspace = Workspace::new();
    workspace
        .write("Cargo.toml", "[package]\nname = \"xtask\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n");
    workspace.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"xtask\"\nversion = \"0.1.0\"\n");
    workspace.write(
        "src/lib.rs",
        r#"//! A library.

/// One.
///
/// ```
/// assert_eq!(xtask::one(), 1);
/// ```
pub fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right() {
        assert_eq!(one(), 1);
    }

    #[test]
    #[ignore = "too slow"]
    fn slow() {}

    #[test]
    fn wrong() {
        println!("shard: {:?}", std::env::var("CI_SHARD"));
        assert_eq!(one(), 2, "<one> & \"two\"");
    }
}
"#,
    );
    workspace.write(
        "tests/outside.rs",
        r#"//! From outside.

#[test]
fn is_run_in_its_package() {
    assert!(std::fs::exists("src/lib.rs").unwrap());
}
"#,
    );
    workspace
}

/// Runs `cargo xtask ci` with a report, and gives that too.
#[expect(clippy::disallowed_methods, reason = "rustup finds cargo by these")]
fn ci(workspace: Workspace, arguments: &[&str]) -> (Workspace, Run, String) {
    let of_cargo = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
    let found = of_cargo.into_iter().filter_map(|key| Some((key, std::env::var(key).ok()?)));
    let workspace = found.fold(workspace, |workspace, (key, value)| workspace.with(key, &value));
    workspace.write("junit.xml", "of an earlier run");
    let run = workspace.run(&[&["ci", "--junit", "junit.xml"], arguments].concat());
    let report = fs::read_to_string(workspace.root().join("junit.xml")).unwrap();
    (workspace, run, report)
}

/// The names of a report's cases.
fn cases(report: &str) -> Vec<&str> {
    let cases = report.split("<testcase ").skip(1);
    cases.map(|case| case.split(" name=\"").nth(1).unwrap().split('"').next().unwrap()).collect()
}

/// The sections that were run.
fn sections(run: &Run) -> Vec<&str> {
    run.stderr.lines().filter_map(|line| line.strip_prefix("== ")).collect()
}

#[test]
fn a_failing_test_fails_the_run_when_all_are_done_and_is_reported_with_its_words() {
    let (workspace, run, report) = ci(throw_away(), &[]);
    let run = run.exits(1).complains("ci: tests: 1 of 5 did not pass:\n  src/lib.rs: tests::wrong\n");
    let expected = [
        "format",
        "lints",
        "build",
        "build of the tests",
        "tests: src/lib.rs",
        "tests: tests/outside.rs",
        "tests: examples of the documentation",
    ];
    assert_eq!(sections(&run), expected);
    assert!(run.stdout.contains("test tests::right ... ok\n"), "{}", run.stdout);
    let all = ["tests::right", "tests::slow", "tests::wrong", "is_run_in_its_package", "src/lib.rs - one (line 5)"];
    assert_eq!(cases(&report), all);
    for text in [
        "<testsuites name=\"ci\" tests=\"5\" failures=\"1\" errors=\"0\" skipped=\"1\" ",
        "<testsuite name=\"src/lib.rs\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" ",
        "<skipped message=\"too slow\"/>",
        "<failure message=\"assertion `left == right` failed: &lt;one&gt; &amp; &quot;two&quot;\" type=\"test\">",
        "shard: Err(NotPresent)\n",
    ] {
        assert!(report.contains(text), "no {text:?} in\n{report}");
    }

    // What is no test fails before any of them, and is reported too.
    let library = fs::read_to_string(workspace.root().join("src/lib.rs")).unwrap();
    workspace.write("src/lib.rs", library.replace("    1\n", "  1\n"));
    let (_workspace, run, report) = ci(workspace, &[]);
    assert_eq!(sections(&run.exits(1)), ["format"]);
    assert_eq!(cases(&report), ["ci"]);
    assert!(report.contains("<error message=\"ci: format: "), "{report}");
}

#[test]
fn every_test_is_run_in_one_shard() {
    let (workspace, run, report) = ci(throw_away(), &["--shard", "1/2"]);
    run.exits(1);
    assert_eq!(cases(&report), ["tests::right", "tests::wrong", "src/lib.rs - one (line 5)"]);
    assert!(report.contains("shard: Ok(\"1/2\")\n"), "{report}");
    let (workspace, run, report) = ci(workspace, &["--shard", "2/2"]);
    let run = run.exits(0).complains("shard 2/2 of all that must hold before a merge holds");
    assert_eq!(cases(&report), ["tests::slow", "is_run_in_its_package"]);
    let expected = ["build", "build of the tests", "tests: src/lib.rs", "tests: tests/outside.rs"];
    assert_eq!(sections(&run), expected, "format, lints and docs are the first shard's");

    let library = fs::read_to_string(workspace.root().join("src/lib.rs")).unwrap();
    workspace.write("src/lib.rs", library.replace("one(), 2", "one(), 1"));
    let (_workspace, run, report) = ci(workspace, &["--shard", "1/4"]);
    assert_eq!(sections(&run.exits(0)).last(), Some(&"docs"));
    assert_eq!(cases(&report), ["tests::right", "src/lib.rs - one (line 5)"]);
}
