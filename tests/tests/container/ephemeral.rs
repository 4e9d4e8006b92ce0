//! Servers that end with the command that asked for them, however it ends; and if even that failed, with the next.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tests::Workspace;

use crate::{assert_kept, keep_something};

/// A workspace for each rung; that of a container only where there is an engine.
fn rungs() -> impl Iterator<Item = Workspace> {
    let local = Workspace::new().with("DB_SERVER", "local");
    [Some(local), Workspace::new().in_container(18)].into_iter().flatten()
}

/// Nothing runs any more that this workspace has started, and nothing lies about.
#[track_caller]
fn assert_gone(workspace: &Workspace, situation: &str) {
    let directory = workspace.root().join("servers/ephemeral");
    let left: Vec<_> = fs::read_dir(&directory).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "{situation}: {left:?}");
    assert_eq!(servers(&directory), 0, "{situation}");
}

/// How many servers work below a directory.
fn servers(directory: &Path) -> usize {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            line.contains("postgres\0") && line.contains(&format!("{}/", directory.display()))
        })
        .count()
}

fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited for 60 s: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap().success());
}

/// The containers of the workspace's throw-away servers.
fn containers(workspace: &Workspace) -> Vec<String> {
    let directory = workspace.root().join("servers/ephemeral");
    let places = fs::read_dir(directory).into_iter().flatten().flatten();
    let places = places.flat_map(|place| fs::read_dir(place.path()).into_iter().flatten());
    let names = places.flatten().map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("aura-ephemeral-")).collect()
}

fn is_there(container: &str) -> bool {
    Command::new("docker").args(["container", "inspect", container]).output().unwrap().status.success()
}

#[test]
fn ends_on_success_and_on_failure() {
    for workspace in rungs() {
        // Whatever is named: a server of its own.
        workspace.write(".env", "DATABASE_URL=postgres://aura_user:secret@db.example.invalid/aura_db\n");
        let workspace = workspace.without("DB_SERVER").with("DB_SERVER", "auto");
        let setup = workspace.run(&["db-setup", "--ephemeral"]).exits(0).complains("has ended, and its data are gone");
        assert!(setup.stdout.contains("(a throw-away c") && setup.stdout.contains("verified"), "{}", setup.stdout);
        assert_gone(&workspace, "success");
        let failing = workspace.with("MIGRATE_COMMAND", "echo no >&2; exit 3");
        failing.run(&["db-setup", "--ephemeral"]).exits(1).complains("the migrate command failed");
        assert_gone(&failing, "failure");
    }
    let workspace = Workspace::new();
    workspace.run(&["db-setup", "--ephemeral", "--server", "env"]).exits(2).complains("a server of its own");
    workspace.run(&["db-setup", "--ephemeral", "--dry-run"]).exits(2);
}

/// The workspace's own server is another.
#[test]
fn the_kept_server_is_left_alone() {
    for workspace in rungs() {
        workspace.run(&["db-setup"]).exits(0);
        keep_something(&workspace);
        workspace.run(&["db-setup", "--ephemeral"]).exits(0).complains("new: 25 tables");
        assert_kept(&workspace);
    }
}

#[test]
fn ends_on_signals() {
    for workspace in rungs() {
        // The migrations tell that they run, and take long.
        let workspace = workspace.with("MIGRATE_COMMAND", "touch migrating; exec sleep 60");
        for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
            let flag = workspace.root().join("migrating");
            let _ = fs::remove_file(&flag);
            let mut command = workspace.command(&["db-setup", "--ephemeral"]);
            let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            await_that("the migrations run", || flag.exists());
            let containers = containers(&workspace);
            signal(&child, name);
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(code), "{said}");
            assert!(said.contains("interrupted: the throw-away server has ended") && !said.contains("error"), "{said}");
            assert_gone(&workspace, name);
            assert!(containers.iter().all(|container| !is_there(container)), "{containers:?}");
        }
    }
}

/// Whatever the moment: while the server starts, too.
#[test]
fn ends_on_a_signal_at_any_moment() {
    for workspace in rungs() {
        for pause in [5, 30, 80, 150, 300, 500, 800] {
            let mut command = workspace.command(&["db-setup", "--ephemeral", "-q"]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            thread::sleep(Duration::from_millis(pause));
            let named = containers(&workspace);
            // It may have ended.
            let _ = Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).output();
            let status = child.wait().unwrap();
            // Before it listens to signals there is nothing to end.
            let is_expected = matches!(status.code(), None | Some(0 | 143));
            assert!(is_expected, "after {pause} ms: {status}");
            if workspace.root().join("servers/ephemeral").exists() {
                workspace.run(&["db-stop"]).exits(0);
                assert_gone(&workspace, &format!("after {pause} ms"));
            }
            assert!(named.iter().all(|container| !is_there(container)), "after {pause} ms: {named:?}");
        }
    }
}

#[test]
fn what_was_killed_is_swept_by_the_next_command() {
    for workspace in rungs() {
        let workspace = workspace.with("MIGRATE_COMMAND", "touch migrating; exec sleep 2");
        let flag = workspace.root().join("migrating");
        let directory = workspace.root().join("servers/ephemeral");
        let left = |next: &[&str], code: i32| {
            let _ = fs::remove_file(&flag);
            let mut child = workspace.command(&["db-setup", "--ephemeral", "-q"]).spawn().unwrap();
            await_that("the migrations run", || flag.exists());
            let containers = containers(&workspace);
            child.kill().unwrap();
            child.wait().unwrap();
            assert_eq!(servers(&directory) + containers.iter().filter(|name| is_there(name)).count(), 1);
            workspace.run(next).exits(code).complains("that an earlier run has left");
            assert_gone(&workspace, &next.join(" "));
            assert!(containers.iter().all(|container| !is_there(container)), "{containers:?}");
        };
        left(&["db-stop"], 0);
        // The command makes nothing: what counts is what became of the other server.
        left(&["db-setup"], 3);
        left(&["db-setup", "--ephemeral"], 3);
    }
}

/// Room for one is had or not as a server is.
#[test]
fn no_room_is_no_server() {
    let workspace = Workspace::new();
    workspace.write("servers/somebodys", "");
    workspace.run(&["db-setup", "--ephemeral"]).exits(4).complains("was not made by us");
}

/// One that runs is nobody's to sweep.
#[test]
fn a_server_in_use_is_not_swept() {
    for workspace in rungs() {
        let workspace =
            workspace.with("MIGRATE_COMMAND", "touch migrating; while [ ! -e go ]; do sleep 0.05; done; false");
        let flag = workspace.root().join("migrating");
        let child = workspace.command(&["db-setup", "--ephemeral"]).stderr(Stdio::piped()).spawn().unwrap();
        await_that("the migrations run", || flag.exists());
        workspace.run(&["db-stop"]).exits(0).complains("no server of this workspace was running");
        let user = format!("the process {} uses the throw-away server in ", child.id());
        workspace.run(&["db-stop", "--purge", "--yes"]).exits(1).complains(&user).complains("nothing is deleted");
        workspace.write("go", "");
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        // The migrations' own failure, and no lost connection.
        assert!(said.contains("the migrate command failed (exit status: 1)"), "{said}");
    }
}
