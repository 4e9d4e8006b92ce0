//! One table of all failure modes: number, test, promise, and what the test has seen. None is missing, none is
//! skipped in silence.
//!
//! Cargo runs a package's targets in the order of their names, one after the other: this one is called so that
//! it comes when all the others are done (and `.config/nextest.toml` has nextest do the same). Where the tests are
//! parted among machines, none of them can make the table.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod list;
mod sources;
mod table;

use std::{collections::BTreeSet, io::Write};

use crate::{list::Number, table::Table};

/// The list of failure modes, and the tests that are called by their numbers.
#[test]
fn the_list_and_the_tests_agree() {
    let (modes, tests) = (list::read(), sources::tests());
    let numbers: Vec<_> = modes.iter().map(|mode| mode.number).collect();
    let all: Vec<_> = (1..=36).map(|n| Number('F', n)).chain((1..=14).map(|n| Number('M', n))).collect();
    assert_eq!(numbers, all, "failure-modes.md");
    let mut wrong = Vec::new();
    for mode in &modes {
        let has_test = tests.iter().any(|test| test.numbers.contains(&mode.number));
        match (mode.is_later, has_test) {
            (false, false) => wrong.push(format!("{} has no test: {}", mode.number, mode.what)),
            (true, true) => wrong.push(format!("{} has a test, and failure-modes.md still says later", mode.number)),
            _ => {}
        }
        let known = ["impossible", "repaired", "found"];
        if !mode.promise.split(", ").all(|promise| known.contains(&promise)) {
            wrong.push(format!("{} promises {:?}", mode.number, mode.promise));
        }
    }
    for test in &tests {
        let spelled: String = test.numbers.iter().map(|number| number.in_name()).collect();
        if !test.function().starts_with(&spelled) || !test.numbers.iter().all(|number| numbers.contains(number)) {
            wrong.push(format!("{} is not called as f01_… to f36_… or m01_… to m14_…", test.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn this_target_comes_last() {
    for target in sources::targets() {
        assert!(target.as_str() <= env!("CARGO_CRATE_NAME"), "cargo runs {target} after the table is made");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the one variable that says which tests are run")]
fn every_failure_mode_was_seen() {
    // Each shard fails by its own tests; what all have seen lies on no machine.
    if let Ok(shard) = std::env::var("CI_SHARD") {
        let _ =
            writeln!(std::io::stderr(), "left out: shard {shard} of the tests has seen a part of the failure modes");
        return;
    }
    let (modes, tests) = (list::read(), sources::tests());
    sources::sweep(&tests);
    let table = Table::of(&modes, &tests);
    // Not by a macro: cargo keeps what those print of a test that passes.
    let _ = std::io::stderr().write_all(table.to_string().as_bytes());
    let unseen = table.unseen();
    let targets: BTreeSet<_> = unseen.iter().map(|test| format!("--test {} ", test.target())).collect();
    let targets: String = targets.into_iter().collect();
    let names: String = unseen.iter().map(|test| format!("  {}\n", test.name)).collect();
    assert!(
        unseen.is_empty(),
        "not seen since the last build (each ends with a call of tests::seen); run \
         cargo test -p tests {targets}--test what_was_seen:\n{names}"
    );
}
