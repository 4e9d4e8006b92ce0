//! Setups at the same time: one lock, one role, one database.

use std::{
    thread,
    time::{Duration, Instant},
};

use pg_config::Session;
use tests::{Cluster, Run, Workspace, seen};

use crate::state;

fn eight(workspace: &Workspace) -> Vec<Run> {
    thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| workspace.run(&["db-setup"]))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

/// What became of them, of which none may fail.
#[track_caller]
fn all_well(runs: Vec<Run>) -> String {
    let waited = runs.iter().filter(|run| run.stderr.contains("waiting for another setup")).count();
    let codes: Vec<_> = runs.into_iter().map(|run| run.exits(0).code).collect();
    format!("exit codes {codes:?}, {waited} waited for another")
}

#[test]
fn f35_eight_at_once_on_an_empty_server() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    let done = all_well(eight(&workspace));
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user");
    let complete = state::assert_complete(&workspace, "eight at once");
    let applied = "SELECT pg_catalog.string_agg(version::text, ',' ORDER BY version) FROM aura.refinery_schema_history";
    assert_eq!(cluster.value("aura_db", applied), "1,2");
    seen(&format!("{done}: {complete}, each migration applied once"));
}

#[test]
fn f35_eight_at_once_without_an_administrator() {
    let cluster = Cluster::start();
    cluster.sql("postgres", "CREATE ROLE aura_user LOGIN CREATEDB PASSWORD 'the-app''s'");
    let workspace = Workspace::on(&cluster).without("ADMIN_DATABASE_URL");
    let done = all_well(eight(&workspace));
    let complete = state::assert_complete(&workspace, "eight at once");
    seen(&format!("{done}: {complete}"));
}

#[test]
fn what_was_interrupted_is_finished_by_the_next() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    let mut seen = Vec::new();
    for pause in [0, 15, 30, 45, 60, 80, 100, 130] {
        let mut child = workspace.command(&["db-setup", "-q"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        child.wait().unwrap();
        seen.push(cluster.inventory());
    }
    // The first was too short for everything, whatever the machine.
    assert_ne!(seen[0], "database aura_db, role aura_user");
    workspace.run(&["db-setup"]).exits(0);
    assert_eq!(cluster.inventory(), "database aura_db, role aura_user");
    state::assert_complete(&workspace, "after interruptions");
}

#[test]
fn f35_eight_at_once_without_a_server() {
    let workspace = Workspace::new();
    let done = all_well(eight(&workspace));
    let kept = workspace.run(&["db-status"]).exits(0);
    let servers = kept.stdout.matches(": running, p").count();
    assert_eq!(servers, 1, "{}", kept.stdout);
    let complete = state::assert_complete(&workspace, "eight at once");
    seen(&format!("{done}: {servers} server, {complete}"));
}

#[test]
fn f35_eight_workspaces_share_a_role() {
    let cluster = Cluster::start();
    let workspaces: Vec<_> = (0..8)
        .map(|number| {
            let url = cluster.url("aura_user", "the-app's", &format!("aura_{number}"));
            Workspace::on(&cluster).with("DATABASE_URL", &url)
        })
        .collect();
    let runs = thread::scope(|scope| {
        let runs: Vec<_> = workspaces.iter().map(|one| scope.spawn(|| one.run(&["db-setup"]))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let done = all_well(runs);
    for workspace in &workspaces {
        state::assert_complete(workspace, "eight databases of one role");
    }
    seen(&format!("{done}: {}", cluster.inventory()));
}

/// Holds the setup's lock for as long as the session lives.
fn holder(cluster: &Cluster) -> Session {
    let mut session = pg_config::connect(&cluster.superuser()).unwrap();
    session.client.batch_execute("SELECT pg_catalog.pg_advisory_lock(1885810035, 1667786093)").unwrap();
    session
}

#[test]
fn a_lock_that_is_held_is_waited_for_and_its_holder_named() {
    let cluster = Cluster::start();
    let held = holder(&cluster);
    let before = (cluster.globals(), cluster.inventory());
    let workspace = Workspace::on(&cluster);
    let started = Instant::now();
    workspace
        .run(&["db-setup", "--lock-wait", "1"])
        .exits(1)
        .complains("another setup is at work")
        .complains("role postgres")
        .complains("--lock-wait");
    assert!((1.0..30.0).contains(&started.elapsed().as_secs_f64()), "{:?}", started.elapsed());
    assert_eq!((cluster.globals(), cluster.inventory()), before);
    drop(held);
    workspace.run(&["db-setup", "--lock-wait", "1"]).exits(0);
    // The other commands that write take the same lock.
    let held = holder(&cluster);
    let before = cluster.dump("aura_db");
    workspace.run(&["db-migrate", "--lock-wait", "0"]).exits(1).complains("another setup is at work");
    workspace
        .run(&["db-reset", "--yes", "--host", "127.0.0.1", "--lock-wait", "0"])
        .exits(1)
        .complains("another setup is at work");
    assert_eq!(cluster.dump("aura_db"), before);
    drop(held);
}

#[test]
fn a_lock_that_is_let_go_is_taken() {
    let cluster = Cluster::start();
    let held = holder(&cluster);
    let workspace = Workspace::on(&cluster);
    thread::scope(|scope| {
        let run = scope.spawn(|| workspace.run(&["db-setup"]));
        // The holder, the setup, and the one that asks.
        let sessions = "SELECT pg_catalog.count(*) FROM pg_stat_activity WHERE datname = 'postgres'";
        while cluster.value("postgres", sessions) != "3" {
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(Duration::from_secs(1));
        assert!(!run.is_finished());
        drop(held);
        run.join().unwrap().exits(0).complains("waiting for another setup on this server (process");
    });
}
