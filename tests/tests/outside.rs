//! Another workspace, outside this one, that uses the commands and the test databases as the README says.

#![expect(clippy::unwrap_used, reason = "a test has nobody to tell but its reader")]

use std::collections::BTreeSet;

use tests::{Outside, Run, psql, skipped};

#[test]
fn another_workspace_is_set_up_verified_and_tested_as_the_readme_says() {
    let outside = Outside::new();
    outside.cargo("test").exits(0).complains("Running tests/orders.rs");
    // It started the server, and needed nothing else.
    assert!(outside.databases().iter().any(|name| name.starts_with("shop_db_template_")), "{:?}", outside.databases());
    let report = outside.cargo("xtask db-setup --format json").exits(0).json();
    assert_eq!((&report["database"], &report["schema"]), (&"shop_db".into(), &"shop".into()));
    assert_eq!(report["summary"]["tables"], 1);
    outside.cargo("xtask db-verify").exits(0);
    outside.cargo("xtask db-setup").exits(0);
    let run = outside.cargo("test").exits(0);
    assert!(run.stdout.contains("test an_order_is_kept ... ok"), "{}", run.stdout);
    // It has no container helper, and none of the commands that only this repository has.
    assert!(!outside.cargo("xtask --help").exits(0).stdout.contains("bench"));
    let run = outside.cargo("xtask ci").exits(0).complains("all that must hold before a merge holds");
    assert!(!run.stderr.contains("container helper"), "{}", run.stderr);
    outside.cargo("xtask db-stop --purge --yes").exits(0);
    assert_eq!(outside.cargo("xtask db-verify").code, 4, "the server has gone");
}

/// The one that CI has is preinstalled there; a machine without it skips.
fn has_nextest(outside: &Outside) -> bool {
    let is_there = outside.cargo("nextest --version").code == 0;
    if !is_there {
        skipped("cargo-nextest is not installed (https://nexte.st)");
    }
    is_there
}

#[test]
fn under_nextest_a_process_for_each_test_takes_what_another_gave_back() {
    let outside = Outside::new();
    if !has_nextest(&outside) {
        return;
    }
    // One after the other: all of them have the same database, each under a name of its own.
    let named = names(&outside.cargo("nextest run --test many --no-fail-fast --success-output immediate -j 1"));
    let keys: BTreeSet<_> = named.iter().map(|(key, _)| key).collect();
    let leases: Vec<_> = named.iter().map(|(_, lease)| *lease).collect();
    let administrator = outside.cargo("xtask db-url --admin").exits(0);
    let version: u32 = psql(administrator.line(), &[], "SHOW server_version_num").line().parse().unwrap();
    if version >= 150_000 {
        assert_eq!((keys.len(), leases), (1, (1..=8).collect()), "{named:?}");
    }
    // At once: no more than there are processes, the first among them.
    let at_once = names(&outside.cargo("nextest run --test many --no-fail-fast --success-output immediate -j 4"));
    let more: BTreeSet<_> = at_once.iter().map(|(key, _)| key).collect();
    if version >= 150_000 {
        assert!(more.len() <= 4 && more.is_superset(&keys), "{more:?}");
        let left = outside.databases();
        let (templates, clones): (Vec<_>, Vec<_>) = left.iter().partition(|name| name.starts_with("shop_db_template_"));
        assert!(clones.iter().all(|name| name.starts_with("shop_db_ready_")), "{clones:?}");
        assert_eq!(templates.len(), 1, "{templates:?}");
    }
    // A setup script changes nothing but who names the server.
    let scripted = outside.cargo("nextest run --profile scripted --test many --success-output immediate -j 1");
    let scripted = names(&scripted);
    if version >= 150_000 {
        assert!(scripted.iter().all(|(key, _)| more.contains(key)), "{scripted:?} {more:?}");
    }
}

/// The key and the lease of each database that a test of a run has named; all tests have passed.
fn names(run: &Run) -> Vec<(String, u32)> {
    let said = [run.stdout.as_str(), run.stderr.as_str()].concat();
    assert!(run.code == 0 && said.contains("8 tests run: 8 passed"), "{said}");
    let names = said.lines().filter_map(|line| line.trim().strip_prefix("database shop_db_test_"));
    let mut names = names
        .map(|name| {
            let mut parts = name.split('_').skip(1);
            (parts.next().unwrap().to_owned(), parts.next().unwrap().parse().unwrap())
        })
        .collect::<Vec<_>>();
    assert_eq!(names.len(), 8, "{said}");
    names.sort_unstable();
    names
}
