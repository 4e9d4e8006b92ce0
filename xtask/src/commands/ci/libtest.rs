//! What Rust's test programs print, which is all that a stable one tells of its tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitStatus,
};

use crate::report::{Account, Case, CaseEnding};

/// The tests of `--list --format terse`, in an order that every machine has.
pub(super) fn listed(output: &str) -> Vec<String> {
    let mut tests: Vec<_> = output.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect();
    tests.sort_unstable();
    tests
}

/// How each of the tests ended that a program has run. One that was never heard of again is broken; so is the
/// program as a whole, where it failed and none of its tests did.
pub(super) fn read(program: &str, tests: &[String], output: &str, status: ExitStatus) -> Vec<Case> {
    let told = Told::of(tests, output);
    // Where a child of a test has written into a test's line, the counts and the list of failures are still there.
    let are_all_counted = told.counted == tests.len();
    let mut cases: Vec<_> = tests
        .iter()
        .map(|test| {
            let name = test.as_str();
            let ending = if told.failed.contains(name) {
                failed(told.stdout.get(name).map_or("", |lines| lines.trim()))
            } else if let Some(reason) = told.ignored.get(name) {
                CaseEnding::Skipped((*reason).to_owned())
            } else if told.passed.contains(name) || are_all_counted {
                CaseEnding::Passed
            } else {
                broken(format!("no result: the program ended with {status}"))
            };
            Case { name: test.clone(), ending }
        })
        .collect();
    if !status.success() && !cases.iter().any(Case::is_wrong) {
        let ending = broken(format!("the program ended with {status}, and none of its tests failed"));
        cases.push(Case { name: program.to_owned(), ending });
    }
    cases
}

/// With the panic's own words in a line, and all that the test has printed.
fn failed(stdout: &str) -> CaseEnding {
    let panic = stdout.lines().skip_while(|line| !line.contains(" panicked at ")).nth(1);
    let message = panic.or(stdout.lines().next()).unwrap_or("failed").to_owned();
    CaseEnding::Failed(Account { kind: "test", message, text: stdout.to_owned() })
}

fn broken(message: String) -> CaseEnding {
    CaseEnding::Broken(Account { kind: "program", text: message.clone(), message })
}

/// What a program has told of its tests.
#[derive(Default)]
struct Told<'a> {
    passed: BTreeSet<&'a str>,
    failed: BTreeSet<&'a str>,
    /// With the reason.
    ignored: BTreeMap<&'a str, &'a str>,
    /// What those have printed that failed.
    stdout: BTreeMap<&'a str, String>,
    /// How many have ended.
    counted: usize,
}

impl<'a> Told<'a> {
    fn of(tests: &'a [String], output: &'a str) -> Self {
        let known: BTreeSet<_> = tests.iter().map(String::as_str).collect();
        let known = |name: &str| known.get(name).copied();
        let mut told = Self::default();
        // The test whose stdout is repeated here.
        let mut speaker = None;
        for line in output.lines() {
            let header = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----"));
            if let Some(name) = header.and_then(known) {
                speaker = Some(name);
                told.stdout.insert(name, String::new());
            } else if line == "failures:" {
                speaker = None;
            } else if let Some(stdout) = speaker.and_then(|name| told.stdout.get_mut(name)) {
                stdout.push_str(line);
                stdout.push('\n');
            } else if let Some(name) = line.strip_prefix("    ").and_then(known) {
                told.failed.insert(name);
            } else if let Some(counts) = line.strip_prefix("test result: ") {
                told.counted += counted(counts);
            } else if let Some((label, result)) = line.strip_prefix("test ").and_then(|line| line.split_once(" ... ")) {
                let modes = [" - should panic", " - compile fail", " - compile"];
                let name = modes.iter().find_map(|mode| label.strip_suffix(mode)).unwrap_or(label);
                match (known(name), result.split_once(", ").unwrap_or((result, ""))) {
                    (Some(name), ("ok", _)) => _ = told.passed.insert(name),
                    (Some(name), ("FAILED", _)) => _ = told.failed.insert(name),
                    (Some(name), ("ignored", reason)) => _ = told.ignored.insert(name, reason),
                    _ => {}
                }
            }
        }
        told
    }
}

/// `FAILED. 2 passed; 4 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.17s`
fn counted(counts: &str) -> usize {
    let parts = counts.split([';', '.']).filter_map(|part| part.trim().split_once(' '));
    let ended = parts.filter(|(_, what)| ["passed", "failed", "ignored"].contains(what));
    ended.filter_map(|(count, _)| count.parse::<usize>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    /// Of a program with a test of each kind, on one core; a child of `noisy` has written into its line.
    const ALL: &str = r#"
running 7 tests
test tests::noisy ... hi
FAILED
test tests::panics - should panic ... ok
test tests::panics_otherwise - should panic ... FAILED
test tests::quiet ... FAILED
test tests::result ... FAILED
test tests::slow ... ignored, too slow ... really
test tests::well ... hi
ok

failures:

---- tests::noisy stdout ----

thread 'tests::noisy' (22065) panicked at src/lib.rs:32:82:
assertion `left == right` failed: a <b>
  left: 1
 right: 2
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

---- tests::panics_otherwise stdout ----

thread 'tests::panics_otherwise' (22068) panicked at src/lib.rs:27:29:
x
note: panic did not contain expected string
      panic message: "x"
 expected substring: "y"
---- tests::result stdout ----
on the way
Error: "no"


failures:
    tests::noisy
    tests::panics_otherwise
    tests::quiet
    tests::result

test result: FAILED. 2 passed; 4 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.17s

"#;

    /// Of the examples of two packages.
    const EXAMPLES: &str = "
running 2 tests
test src/lib.rs - f (line 11) - compile ... ok
test src/lib.rs - f (line 14) ... FAILED

failures:

---- src/lib.rs - f (line 14) stdout ----
Test executable failed (exit status: 101).

failures:
    src/lib.rs - f (line 14)

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.13s


running 1 test
test src/lib.rs - f (line 8) - compile fail ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.04s

all doctests ran in 0.37s; merged doctests compilation took 0.20s
";

    fn exited(code: i32) -> ExitStatus {
        ExitStatus::from_raw(code << 8)
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// A line a case: its name, its ending, and what is told of it in a line.
    fn told(cases: &[Case]) -> Vec<String> {
        let line = |case: &Case| match &case.ending {
            CaseEnding::Passed | CaseEnding::Said(_) => format!("{}: passed", case.name),
            CaseEnding::Skipped(reason) => format!("{}: skipped: {reason}", case.name),
            CaseEnding::Failed(account) => format!("{}: failed: {}", case.name, account.message),
            CaseEnding::Broken(account) => format!("{}: broken: {}", case.name, account.message),
        };
        cases.iter().map(line).collect()
    }

    #[test]
    fn each_test_has_its_ending_and_its_words() {
        let all = "tests::well: test\ntests::noisy: test\ntests::slow: test\ntests::panics: test\n\
                   tests::panics_otherwise: test\ntests::result: test\ntests::quiet: test\ntests::fast: benchmark\n";
        let cases = read("src/lib.rs", &listed(all), ALL, exited(101));
        let expected = [
            "tests::noisy: failed: assertion `left == right` failed: a <b>",
            "tests::panics: passed",
            "tests::panics_otherwise: failed: x",
            "tests::quiet: failed: failed",
            "tests::result: failed: on the way",
            "tests::slow: skipped: too slow ... really",
            "tests::well: passed",
        ];
        assert_eq!(told(&cases), expected);
        let CaseEnding::Failed(account) = &cases[4].ending else { panic!("{cases:?}") };
        assert_eq!(account.text, "on the way\nError: \"no\"");
    }

    #[test]
    fn examples_are_tests_too() {
        let tests = names(&["src/lib.rs - f (line 11)", "src/lib.rs - f (line 14)", "src/lib.rs - f (line 8)"]);
        let expected = [
            "src/lib.rs - f (line 11): passed",
            "src/lib.rs - f (line 14): failed: Test executable failed (exit status: 101).",
            "src/lib.rs - f (line 8): passed",
        ];
        assert_eq!(told(&read("examples", &tests, EXAMPLES, exited(101))), expected);
    }

    #[test]
    fn a_program_that_does_not_come_to_its_end_breaks_what_is_open() {
        let output = "\nrunning 3 tests\ntest a ... ok\ntest b ... FAILED\ntest c ... ";
        let cases = read("src/lib.rs", &names(&["a", "b", "c"]), output, ExitStatus::from_raw(6));
        let open = "c: broken: no result: the program ended with signal: 6 (SIGABRT)";
        assert_eq!(told(&cases), ["a: passed", "b: failed: failed", open]);
    }

    #[test]
    fn a_program_that_fails_by_itself_is_no_success() {
        let output = "test a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let whole = "src/lib.rs: broken: the program ended with exit status: 3, and none of its tests failed";
        assert_eq!(told(&read("src/lib.rs", &names(&["a"]), output, exited(3))), ["a: passed", whole]);
        assert_eq!(told(&read("src/lib.rs", &names(&["a"]), output, exited(0))), ["a: passed"]);
    }

    #[test]
    fn what_was_not_run_has_not_passed() {
        let output = "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out\n";
        assert_eq!(
            told(&read("src/lib.rs", &names(&["a"]), output, exited(0))),
            ["a: broken: no result: the program ended with exit status: 0"]
        );
    }
}
