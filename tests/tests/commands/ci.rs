//! `ci` on a small workspace of its own: what it reports of the tests, and how it parts them.

use std::{fs, os::unix::fs::PermissionsExt as _};

use tests::{Run, Workspace, has, path_with};

/// A package that is called as the one that `ci` builds first: of its tests one fails, one lacks a peer, and one is
/// ignored.
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
    fn without_peer() {
        eprintln!("skipped: no <peer>");
    }

    #[test]
    fn wrong() {
        println!("said by the test");
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

/// The workspace with what rustup finds cargo by.
#[expect(clippy::disallowed_methods, reason = "rustup finds cargo by these")]
fn with_cargo(workspace: Workspace) -> Workspace {
    let of_cargo = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
    let found = of_cargo.into_iter().filter_map(|key| Some((key, std::env::var(key).ok()?)));
    found.fold(workspace, |workspace, (key, value)| workspace.with(key, &value))
}

/// Runs `cargo xtask ci` with a report, and gives that too.
fn ci(workspace: Workspace, arguments: &[&str]) -> (Workspace, Run, String) {
    let workspace = with_cargo(workspace);
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

/// The sections whose times are told in the end.
fn timed(run: &Run) -> Vec<&str> {
    let lines = run.stderr.lines().skip_while(|line| *line != "== time of each section").skip(1);
    let lines = lines.take_while(|line| !line.ends_with("  in all"));
    lines.map(|line| line.split_once(" s  ").unwrap().1).collect()
}

#[test]
fn a_failing_test_fails_the_run_when_all_are_done_and_is_reported_with_its_words() {
    if !has("cargo-nextest", "none: https://nexte.st") {
        return;
    }
    let (workspace, run, report) = ci(throw_away(), &[]);
    let run = run.exits(1);
    let expected = ["format", "lints", "build of the tests", "tests", "examples of the documentation"];
    assert_eq!(sections(&run)[..5], expected);
    assert_eq!(timed(&run), expected);
    let named = ["tests::right", "tests::without_peer", "tests::wrong", "is_run_in_its_package"];
    let mut found = cases(&report);
    assert_eq!(found.pop(), Some("examples of the documentation"));
    found.sort_unstable();
    let mut expected = named;
    expected.sort_unstable();
    assert_eq!(found, expected);
    for text in [
        "<testsuites name=\"ci\" tests=\"5\" failures=\"1\" errors=\"0\" skipped=\"1\" ",
        "<testsuite name=\"xtask\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" ",
        "<testsuite name=\"xtask::outside\" tests=\"1\" ",
        "<skipped message=\"no &lt;peer&gt;\"/>",
        "assertion `left == right` failed: &lt;one&gt; &amp; \"two\"",
        "said by the test\n",
    ] {
        assert!(report.contains(text), "no {text:?} in\n{report}");
    }
    // What failed is named last, and what was skipped is not hidden.
    assert!(run.stderr.trim_end().ends_with("xtask tests::wrong"), "{}", run.stderr);
    assert!(run.stderr.contains("       1    no <peer>\n"), "{}", run.stderr);

    // What is no test fails before any of them, and is reported too.
    let library = fs::read_to_string(workspace.root().join("src/lib.rs")).unwrap();
    workspace.write("src/lib.rs", library.replace("    1\n", "  1\n"));
    let (_workspace, run, report) = ci(workspace, &[]);
    let run = run.exits(1);
    assert_eq!(timed(&run), ["format"]);
    assert_eq!(cases(&report), ["ci"]);
    assert!(report.contains("<error message=\"ci: format\" "), "{report}");
}

#[test]
fn every_test_is_run_in_one_shard() {
    if !has("cargo-nextest", "none: https://nexte.st") {
        return;
    }
    let workspace = throw_away();
    let library = fs::read_to_string(workspace.root().join("src/lib.rs")).unwrap();
    workspace.write("src/lib.rs", library.replace("one(), 2", "one(), 1"));
    let (workspace, run, first) = ci(workspace, &["--shard", "1/2"]);
    assert_eq!(timed(&run.exits(0)).last(), Some(&"docs"));
    let (_workspace, run, second) = ci(workspace, &["--shard", "2/2"]);
    assert_eq!(timed(&run.exits(0)), ["build of the tests", "tests"], "format, lints and docs are the first's");
    let mut all = [cases(&first), cases(&second)].concat();
    all.sort_unstable();
    let named = ["examples of the documentation", "is_run_in_its_package"];
    assert_eq!(all, [&named[..], &["tests::right", "tests::without_peer", "tests::wrong"]].concat());
    assert!(!cases(&second).is_empty(), "{second}");
}

/// A cargo that has no nextest runs the tests too, but cannot report or part them.
#[test]
fn without_nextest_the_tests_are_run_by_cargo() {
    let workspace = throw_away();
    workspace.write("bin/cargo", "#!/bin/sh\n[ \"$1\" != nextest ] || exit 101\nPATH=${PATH#*:} exec cargo \"$@\"\n");
    let program = workspace.root().join("bin/cargo");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = path_with(program.parent().unwrap());
    let workspace = with_cargo(workspace).with("PATH", &path);
    for flags in [["--junit", "junit.xml"], ["--shard", "1/2"]] {
        let refused = workspace.run(&[&["ci"], &flags[..]].concat()).exits(1).shows(&flags[0][2..]);
        assert_eq!(sections(&refused), [""; 0], "nothing was done");
    }
    let run = workspace.run(&["ci"]).exits(1);
    assert_eq!(timed(&run), ["format", "lints", "tests"]);
    assert!(
        run.stdout.contains("test tests::right ... ok\n") && run.stdout.contains("- one (line 5) ... ok\n"),
        "{}",
        run.stdout
    );
}
