//! The suites of setting up, verifying and test databases, once more: one list of cases for both ways to a server and
//! every version.

#![expect(clippy::unwrap_used, reason = "a test has nobody to tell but its reader")]

use std::{path::PathBuf, process::Command, time::Instant};

use tests::{Rung, is_there};

/// What `TESTS_SERVER` says to the suites, and which are run. The plain run is that of the newest installed binaries:
/// 15 on Debian 12. Handing out databases is the same wherever the server comes from. A container for each test takes
/// five times as long as a private cluster, so each version's has one suite here; `TESTS_RUNGS=all` runs both in each.
const SERVERS: [(&str, &[&str]); 4] = [
    ("local:13", &["setup", "verify", "testdb"]),
    ("local:17", &["setup", "verify", "testdb"]),
    ("container:13", &["setup"]),
    ("container:17", &["verify"]),
];

/// What else `TESTS_RUNGS=all` runs.
const OTHERS: [(&str, &[&str]); 3] =
    [("container:13", &["verify"]), ("container:17", &["setup"]), ("container:15", &["setup", "verify"])];

#[test]
#[expect(clippy::disallowed_methods, reason = "the tests' own variable")]
fn every_case_holds_on_every_rung() {
    let others = if std::env::var("TESTS_RUNGS").is_ok_and(|runs| runs == "all") { &OTHERS[..] } else { &[] };
    for (server, suites) in SERVERS.iter().chain(others) {
        if !is_there(Rung::parse(server)) {
            continue;
        }
        for suite in *suites {
            let started = Instant::now();
            let output = Command::new(program(suite)).env("TESTS_SERVER", server).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success(),
                "TESTS_SERVER={server} cargo test -p tests --test {suite}\n{text}\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
            let result = text.lines().rfind(|line| line.starts_with("test result")).unwrap_or_default();
            println!("{server}, {suite}: {:.0} s, {result}", started.elapsed().as_secs_f64());
        }
    }
}

/// The other suite's program, which cargo has built beside this one: the newest, as older ones are left lying about.
fn program(suite: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let beside = own.parent().unwrap().read_dir().unwrap().flatten().map(|entry| entry.path());
    let named = |path: &PathBuf| {
        let stem = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('-'));
        stem.is_some_and(|(name, digest)| name == suite && digest.chars().all(|c| c.is_ascii_hexdigit()))
    };
    let built = |path: &PathBuf| path.metadata().unwrap().modified().unwrap();
    beside.filter(named).max_by_key(built).unwrap_or_else(|| panic!("build it: cargo test -p tests --no-run"))
}
