//! The tests by cargo-nextest: a process for each, its time, a bound, JUnit, and shards.

use std::{fs, num::NonZero, path::Path, process::Command, thread, time::Duration};

use anyhow::{Context as _, anyhow, ensure};
use roxmltree::{Document, Node};

use super::Commands;
use crate::{
    cli::Shard,
    report::{Account, Case, CaseEnding, Suite},
};

const PROFILE: &str = "xtask-ci";

/// Whether `cargo nextest` is there.
pub(super) fn is_installed(commands: &Commands<'_>) -> bool {
    commands.cargo("nextest --version").quiet().ignore_stderr().read().is_ok()
}

pub(super) fn build(commands: &Commands<'_>, part: &str) -> anyhow::Result<()> {
    Ok(commands.cargo(&format!("nextest run {part} --locked --no-run")).run()?)
}

/// Runs the shard's tests of a part of the workspace (`--package shop`), and gives what came of each: a suite a test
/// program.
///
/// `directory` is for files of this run: the profile and nextest's own report.
pub(super) fn run(commands: &Commands<'_>, part: &str, directory: &Path, shard: Shard) -> anyhow::Result<Vec<Suite>> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let [profile, junit] = ["nextest.toml", "junit.xml"].map(|name| directory.join(name));
    let threads = 2 * thread::available_parallelism().map_or(1, NonZero::get);
    let text = include_str!("nextest.toml").replace("\"{junit}\"", &format!("{junit:?}"));
    let text = text.replace("\"{threads}\"", &threads.to_string());
    fs::write(&profile, text).with_context(|| format!("cannot write {}", profile.display()))?;
    let _ = fs::remove_file(&junit);
    let arguments = format!("nextest run {part} --locked --no-tests pass --profile {PROFILE} --tool-config-file");
    let mut nextest = commands.cargo(&arguments).arg(format!("xtask:{}", profile.display()));
    if shard != Shard::WHOLE {
        nextest = nextest.arg("--partition").arg(format!("count:{shard}"));
    }
    let status = Command::from(commands.for_tests(nextest)).status().context("cannot run cargo nextest")?;
    let report = match fs::read_to_string(&junit) {
        Ok(report) => report,
        // Where there is no test, there is no report.
        Err(_) if status.success() => return Ok(Vec::new()),
        Err(_) => return Err(anyhow!("cargo nextest ended with {status}, and no test was run")),
    };
    let suites = read(&report).with_context(|| format!("cannot read {}", junit.display()))?;
    let is_accounted_for = status.success() || suites.iter().flat_map(|suite| &suite.cases).any(Case::is_wrong);
    ensure!(is_accounted_for, "cargo nextest ended with {status}, and no test failed");
    Ok(suites)
}

/// The suites of nextest's report. A test that passed and has printed a line `skipped: …` counts as skipped:
/// nextest knows no test that skips itself.
fn read(report: &str) -> anyhow::Result<Vec<Suite>> {
    let document = Document::parse(report)?;
    let suites = document.descendants().filter(|node| node.has_tag_name("testsuite"));
    Ok(suites
        .map(|suite| {
            let cases: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).map(case).collect();
            let elapsed = cases.iter().filter_map(|case| case.elapsed).sum();
            Suite { name: attribute(suite, "name"), properties: Vec::new(), cases, elapsed }
        })
        .collect())
}

fn case(node: Node<'_, '_>) -> Case {
    let seconds = node.attribute("time").and_then(|time| time.parse().ok());
    Case {
        name: attribute(node, "name"),
        elapsed: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        ending: ending(node),
    }
}

fn ending(node: Node<'_, '_>) -> CaseEnding {
    let outputs = ["system-out", "system-err"].map(|name| child(node, name).and_then(|output| output.text()));
    let failed = child(node, "failure").map(|node| (node, false)).or(child(node, "error").map(|node| (node, true)));
    if let Some((wrong, is_broken)) = failed {
        let kind = attribute(wrong, "type");
        let message = wrong.attribute("message").map_or_else(|| kind.clone(), str::to_owned);
        let text = outputs.into_iter().flatten().collect();
        let account = Account { kind, message, text };
        return if is_broken { CaseEnding::Broken(account) } else { CaseEnding::Failed(account) };
    }
    let mut lines = outputs.into_iter().flatten().flat_map(str::lines);
    match lines.find_map(|line| line.strip_prefix("skipped: ")) {
        Some(reason) => CaseEnding::Skipped(reason.to_owned()),
        None => CaseEnding::Passed,
    }
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn attribute(node: Node<'_, '_>, name: &str) -> String {
    node.attribute(name).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cargo-nextest 0.9.143 writes.
    const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" skipped="0" failures="2" errors="0" time="3.032">
    <testsuite name="shop" tests="4" skipped="0" errors="0" failures="2">
        <testcase name="tests::well" classname="shop" time="0.008">
            <system-out>test tests::well ... ok
</system-out>
            <system-err></system-err>
        </testcase>
        <testcase name="tests::without_peer" classname="shop" time="0.008">
            <system-out>running 1 test
</system-out>
            <system-err>looking
skipped: no &lt;openssl&gt;
</system-err>
        </testcase>
        <testcase name="tests::wrong" classname="shop" time="0.160">
            <failure message="thread &apos;tests::wrong&apos; panicked at src/lib.rs:6:125" type="test failure with exit code 101">thread</failure>
            <system-out>out
</system-out>
            <system-err>panicked
skipped: and yet it failed
</system-err>
        </testcase>
        <testcase name="tests::hangs" classname="shop" time="3.009">
            <failure type="test timeout"/>
        </testcase>
    </testsuite>
</testsuites>
"#;

    #[test]
    fn each_test_has_its_ending_its_time_and_its_words() {
        let suites = read(REPORT).unwrap();
        assert_eq!((suites.len(), suites[0].name.as_str()), (1, "shop"));
        let failed = |kind: &str, message: &str, text: &str| {
            CaseEnding::Failed(Account { kind: kind.to_owned(), message: message.to_owned(), text: text.to_owned() })
        };
        let expected = [
            ("tests::well", 8, CaseEnding::Passed),
            ("tests::without_peer", 8, CaseEnding::Skipped("no <openssl>".to_owned())),
            (
                "tests::wrong",
                160,
                failed(
                    "test failure with exit code 101",
                    "thread 'tests::wrong' panicked at src/lib.rs:6:125",
                    "out\npanicked\nskipped: and yet it failed\n",
                ),
            ),
            ("tests::hangs", 3009, failed("test timeout", "test timeout", "")),
        ];
        let expected = expected.map(|(name, millis, ending)| Case {
            name: name.to_owned(),
            elapsed: Some(Duration::from_millis(millis)),
            ending,
        });
        assert_eq!(suites[0].cases, expected);
    }

    #[test]
    fn what_is_not_xml_is_an_error() {
        assert!(read("").is_err() && read("<testsuites>").is_err());
        assert_eq!(read("<testsuites/>").unwrap().len(), 0);
    }
}
