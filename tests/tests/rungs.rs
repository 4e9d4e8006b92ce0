//! The suites of setting up, verifying and test databases, once more: one list of cases for both ways to a server and
//! every version.

#![expect(clippy::unwrap_used, reason = "a test has nobody to tell but its reader")]

use std::{path::PathBuf, process::Command, time::Instant};

use tests::{Rung, is_there};

/// What `TESTS_SERVER` says to them. The plain run is that of the newest installed binaries: 15 on Debian 12, which
/// is why `container:15` is left to be run by hand.
const SERVERS: [&str; 4] = ["local:13", "local:17", "container:13", "container:17"];

#[test]
fn every_case_holds_on_every_rung() {
    for server in SERVERS {
        if !is_there(Rung::parse(server)) {
            continue;
        }
        // Handing out databases is the same wherever the server comes from.
        let suites =
            if server.starts_with("local") { &["setup", "verify", "testdb"][..] } else { &["setup", "verify"] };
        for suite in suites {
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
