//! Servers that end with the command that asked for them, however it ends; and if even that failed, with the next.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tests::{Run, Workspace, default_signals};

use crate::{assert_kept, keep_something};

/// Each of these on the rung of private clusters and, where there is an engine, on that of containers.
macro_rules! on_both_rungs {
    ($($name:ident)*) => {
        mod local {
            $(#[test]
            fn $name() {
                super::$name("local", tests::Workspace::new().with("DB_SERVER", "local"));
            })*
        }
        mod container {
            $(#[test]
            fn $name() {
                let Some(workspace) = tests::Workspace::new().in_container(18) else { return };
                super::$name("container", workspace);
            })*
        }
    };
}

on_both_rungs! {
    ends_on_success_and_on_failure
    the_kept_server_is_left_alone
    ends_on_signals
    ends_on_a_signal_at_any_moment
    what_was_killed_is_swept_by_the_next_command
    a_server_in_use_is_not_swept
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

fn ends_on_success_and_on_failure(rung: &str, workspace: Workspace) {
    // Whatever is named: a server of its own.
    workspace.write(".env", "DATABASE_URL=postgres://aura_user:secret@db.example.invalid/aura_db\n");
    let workspace = workspace.with("DB_SERVER", "auto");
    workspace.run(&["db-setup", "--ephemeral"]).exits(0).shows(&format!("success-{rung}"));
    assert_gone(&workspace, "success");
    let failing = workspace.with("MIGRATE_COMMAND", "echo no >&2; exit 3");
    failing.run(&["db-setup", "--ephemeral"]).exits(1).shows(&format!("failure-{rung}"));
    assert_gone(&failing, "failure");
}

#[test]
fn a_named_server_is_wrong_usage() {
    let workspace = Workspace::new();
    workspace.run(&["db-setup", "--ephemeral", "--server", "env"]).exits(2).shows("named-server");
    workspace.run(&["db-setup", "--ephemeral", "--dry-run"]).exits(2);
}

/// The workspace's own server is another.
fn the_kept_server_is_left_alone(rung: &str, workspace: Workspace) {
    workspace.run(&["db-setup"]).exits(0);
    keep_something(&workspace);
    workspace.run(&["db-setup", "--ephemeral"]).exits(0).shows(&format!("beside-the-kept-{rung}"));
    assert_kept(&workspace);
}

fn ends_on_signals(rung: &str, workspace: Workspace) {
    default_signals();
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
        let run = Run::of(format!("cargo xtask db-setup --ephemeral # SIG{name}"), child.wait_with_output().unwrap());
        run.exits(code).shows(&format!("sig{}-{rung}", name.to_lowercase()));
        assert_gone(&workspace, name);
        assert!(containers.iter().all(|container| !is_there(container)), "{containers:?}");
    }
}

/// `initdb` takes half a second and more: it ends with the command.
#[test]
fn initdb_ends_with_the_command() {
    default_signals();
    for arguments in [&["db-setup", "--ephemeral"][..], &["db-setup"]] {
        let workspace = Workspace::new().with("DB_SERVER", "local");
        let templates = workspace.root().join("servers/templates").display().to_string();
        let initialises = || {
            let entries = fs::read_dir("/proc").unwrap().flatten();
            let lines = entries.map(|entry| fs::read(entry.path().join("cmdline")).unwrap_or_default());
            let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
            lines.filter(|line| line.contains("initdb\0") && line.contains(&templates)).count()
        };
        let mut command = workspace.command(arguments);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        await_that("initdb runs", || initialises() > 0);
        signal(&child, "TERM");
        let run = Run::of(arguments.join(" "), child.wait_with_output().unwrap()).exits(143);
        assert_eq!(initialises(), 0, "{}", run.stderr);
        // What was half made is swept at the latest by the next command.
        workspace.run(&["db-setup"]).exits(0);
        assert_eq!(fs::read_dir(&templates).unwrap().count(), 1);
    }
}

/// Whatever the moment: while the server starts, too.
fn ends_on_a_signal_at_any_moment(_: &str, workspace: Workspace) {
    default_signals();
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

fn what_was_killed_is_swept_by_the_next_command(rung: &str, workspace: Workspace) {
    let workspace = workspace.with("MIGRATE_COMMAND", "touch migrating; while [ -e hold ]; do sleep 0.05; done");
    let flag = workspace.root().join("migrating");
    let hold = workspace.root().join("hold");
    let directory = workspace.root().join("servers/ephemeral");
    let left = |next: &[&str], code: i32, name: &str| {
        let _ = fs::remove_file(&flag);
        fs::write(&hold, "").unwrap();
        let mut child = workspace.command(&["db-setup", "--ephemeral", "-q"]).spawn().unwrap();
        await_that("the migrations run", || flag.exists());
        let containers = containers(&workspace);
        child.kill().unwrap();
        child.wait().unwrap();
        fs::remove_file(&hold).unwrap();
        assert_eq!(servers(&directory) + containers.iter().filter(|name| is_there(name)).count(), 1);
        workspace.run(next).exits(code).shows(&format!("{name}-sweeps-{rung}"));
        assert_gone(&workspace, &next.join(" "));
        assert!(containers.iter().all(|container| !is_there(container)), "{containers:?}");
    };
    left(&["db-stop"], 0, "stop");
    // The command makes nothing: what counts is what became of the other server.
    left(&["db-setup"], 3, "setup");
    left(&["db-setup", "--ephemeral"], 3, "ephemeral");
}

/// Room for one is had or not as a server is.
#[test]
fn no_room_is_no_server() {
    let workspace = Workspace::new();
    workspace.write("servers/somebodys", "");
    workspace.run(&["db-setup", "--ephemeral"]).exits(4).shows("no-room");
}

/// One that runs is nobody's to sweep.
fn a_server_in_use_is_not_swept(rung: &str, workspace: Workspace) {
    let workspace = workspace.with("MIGRATE_COMMAND", "touch migrating; while [ ! -e go ]; do sleep 0.05; done; false");
    let flag = workspace.root().join("migrating");
    let child = workspace.command(&["db-setup", "--ephemeral"]).stderr(Stdio::piped()).spawn().unwrap();
    await_that("the migrations run", || flag.exists());
    workspace.run(&["db-stop"]).exits(0).shows(&format!("stop-beside-{rung}-in-use"));
    let purge = workspace.run(&["db-stop", "--purge", "--yes"]).exits(1).shows(&format!("purge-beside-{rung}-in-use"));
    assert!(purge.stderr.contains(&child.id().to_string()), "{}", purge.stderr);
    workspace.write("go", "");
    // It ends by the migrations' own failure, and by no lost connection.
    let run = Run::of("cargo xtask db-setup --ephemeral".to_owned(), child.wait_with_output().unwrap());
    run.exits(1).shows(&format!("{rung}-in-use"));
}
