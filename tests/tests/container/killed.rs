//! Killed at any moment of a start: the next run succeeds.

use std::{os::unix::process::CommandExt, process::Command, thread, time::Duration};

use tests::{Workspace, docker};

use crate::keep_something;

/// The processes that the program has started are killed with it (as a machine that runs out of memory may), or live on
/// for a moment.
#[test]
fn the_next_run_succeeds() {
    for (at, pause) in [10, 60, 120, 200, 300, 500, 900, 1400].into_iter().enumerate() {
        let Some(workspace) = Workspace::new().in_container(18) else { return };
        let mut child = workspace.command(&["db-setup", "-q"]).process_group(0).spawn().unwrap();
        thread::sleep(Duration::from_millis(pause));
        let whom = if at % 2 == 0 { format!("-{}", child.id()) } else { child.id().to_string() };
        // It may have ended.
        let _ = Command::new("sh").args(["-c", &format!("kill -9 -- {whom}")]).output();
        child.wait().unwrap();
        workspace.run(&["db-setup"]).exits(0);
        assert_eq!(workspace.containers("{{.State}}"), ["running"], "after {pause} ms");
        workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
        assert_eq!((workspace.containers("{{.Names}}").len(), workspace.volumes().len()), (0, 0));
    }
}

/// The container itself is killed while its server is initialised: what it leaves in the volume is no cluster, though
/// its server may start.
#[test]
fn a_half_initialised_volume_is_made_again() {
    for moment in ["running bootstrap script", "waiting for server"] {
        let Some(workspace) = Workspace::new().in_container(18) else { return };
        let mut child = workspace.command(&["db-setup", "-q"]).spawn().unwrap();
        let name = loop {
            let has_ended = child.try_wait().unwrap().is_some();
            // The engine lists one that is being made before it knows its log.
            let found = workspace.containers("{{.State}} {{.Names}}").pop();
            let name = found.as_deref().and_then(|found| found.strip_prefix("running "));
            if let Some(name) = name.filter(|name| docker(&["logs", name]).contains(moment)) {
                break name.to_owned();
            }
            assert!(!has_ended, "it ended before its container came to {moment:?}");
        };
        child.kill().unwrap();
        child.wait().unwrap();
        docker(&["kill", &name]);
        workspace.run(&["db-setup"]).exits(0);
    }
}

/// Of a server that has served, nothing is made anew.
#[test]
fn data_that_cannot_be_served_are_left_alone() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
    docker(&["exec", &name, "sh", "-c", "rm $PGDATA/global/pg_control"]);
    docker(&["kill", &name]);
    // PostgreSQL's own words, in the log.
    let failed = workspace.run(&["db-setup"]).exits(4).complains("pg_control");
    let lines: Vec<_> = failed.stderr.lines().collect();
    tests::shows("data-that-cannot-be-served", &[&lines[..3], &["…"], &lines[lines.len() - 1..]].concat().join("\n"));
    assert_eq!(workspace.volumes().len(), 1);
}

/// Nor of one whose start nobody waited for: whoever found it later has left data in it.
#[test]
fn data_of_a_server_that_came_up_late_are_left_alone() {
    for later in [&["db-setup"][..], &["db-verify"]] {
        let Some(workspace) = Workspace::new().in_container(18) else { return };
        workspace.run(&["db-setup", "--wait", "0"]).exits(4);
        assert_eq!(workspace.volumes().len(), 1);
        // Nothing is set up yet, but the server is found.
        let found = workspace.run(later);
        assert!(found.code != 4, "{}", found.stderr);
        assert_left_alone(&workspace);
    }
}

/// Whatever the settings with which it was served.
#[test]
fn data_of_other_settings_are_left_alone() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    workspace.run(&["db-setup", "--wait", "0"]).exits(4);
    let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
    // While the image initialises the data its server listens on no address.
    let is_ready = "until pg_isready -h 127.0.0.1; do sleep 0.1; done";
    docker(&["exec", &name, "timeout", "60", "sh", "-c", is_ready]);
    let workspace = workspace.with("DB_DURABLE", "yes");
    workspace.run(&["db-setup"]).exits(0);
    keep_something(&workspace);
    assert_left_alone(&workspace.without("DB_DURABLE"));
}

/// Breaks the data, so that no server starts on them; they stay.
#[track_caller]
fn assert_left_alone(workspace: &Workspace) {
    let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
    docker(&["exec", &name, "sh", "-c", "rm $PGDATA/global/pg_control"]);
    docker(&["kill", &name]);
    workspace.run(&["db-setup"]).exits(4);
    assert_eq!(workspace.volumes().len(), 1);
}
