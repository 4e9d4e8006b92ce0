//! A day's work with a server in a container, as a person goes about it.

use std::fs;

use tests::{Workspace, docker, psql};

use crate::{assert_kept, keep_something};

#[test]
fn set_up_stopped_found_again_and_gone() {
    a_day_with(18);
}

#[test]
fn the_same_with_postgresql_17() {
    a_day_with(17);
}

#[test]
fn the_same_with_postgresql_13() {
    a_day_with(13);
}

fn a_day_with(major: u32) {
    let Some(workspace) = Workspace::new().in_container(major) else { return };
    // Before 15 everybody may create in public, which db-setup changes.
    let screen = if major < 15 { "new-container-of-13" } else { "new-container" };
    workspace.run(&["db-setup"]).exits(0).shows(screen);
    workspace.run(&["db-verify"]).exits(0);
    let url = workspace.run(&["db-url"]).exits(0);
    assert_eq!(psql(url.line(), &["-c", "SHOW search_path"], "").exits(0).line(), "aura, public");
    keep_something(&workspace);
    let [name] = workspace.containers("{{.Names}} {{.Ports}}").try_into().unwrap();
    assert!(name.contains(" 127.0.0.1:") && !name.contains("0.0.0.0"), "{name}");

    // Found again, without another container.
    workspace.run(&["db-setup"]).exits(0).shows("container-found-again");
    assert_eq!(workspace.containers("{{.Names}}").len(), 1);
    workspace.run(&["db-status"]).exits(0).shows("status-of-running-container");

    // Stopped, and started with its data.
    workspace.run(&["db-stop"]).exits(0).shows("container-stopped");
    assert_eq!(workspace.containers("{{.State}}"), ["exited"]);
    workspace.run(&["db-stop"]).exits(0).shows("nothing-to-stop");
    workspace.run(&["db-verify"]).exits(4).shows("container-does-not-run");
    workspace.run(&["db-status"]).exits(4).shows("status-of-stopped-container");
    workspace.run(&["db-setup"]).exits(0).shows("kept-container");
    assert_kept(&workspace);

    workspace.run(&["db-stop", "--purge"]).exits(1).shows("purge-without-yes");
    assert_eq!(workspace.volumes().len(), 1);
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0).shows("purge");
    assert_eq!(workspace.containers("{{.Names}}"), [""; 0]);
    assert_eq!(workspace.volumes(), [""; 0]);
    assert!(!workspace.root().join("servers").exists());
}

/// Somebody cleaned up with the engine's own commands: the data are in the volume.
#[test]
fn a_removed_container_is_made_again_on_its_data() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    keep_something(&workspace);
    let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
    docker(&["rm", "--force", "--volumes", &name]);
    workspace.run(&["db-status"]).exits(4).shows("status-of-removed-container");
    workspace.run(&["db-setup"]).exits(0).shows("container-made-again");
    assert_kept(&workspace);
}

/// A record that cannot be read is no reason to begin anew, and one that is gone takes nothing with it.
#[test]
fn a_broken_record_loses_no_data() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    keep_something(&workspace);
    let kept = fs::read_dir(workspace.root().join("servers/containers")).unwrap().flatten();
    let record = kept.map(|entry| entry.path().join("container.json")).find(|path| path.exists()).unwrap();
    fs::write(&record, "{").unwrap();
    for (arguments, code, name) in [
        (&["db-setup"][..], 4, "setup-with-broken-record"),
        (&["db-verify"], 4, "verify-with-broken-record"),
        (&["db-stop"], 1, "stop-with-broken-record"),
        (&["db-stop", "--purge", "--yes"], 1, "purge-with-broken-record"),
    ] {
        workspace.run(arguments).exits(code).shows(name);
    }
    fs::remove_file(&record).unwrap();
    workspace.run(&["db-setup"]).exits(0).shows("setup-without-record");
    assert_kept(&workspace);
}

/// What a failed start leaves: made, and never started.
#[test]
fn a_container_that_never_started_is_cleared() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
    docker(&["rm", "--force", &name]);
    docker(&["create", "--name", &name, workspace.setting("POSTGRES_IMAGE")]);
    workspace.run(&["db-setup"]).exits(0).shows("container-that-never-started");
    assert_eq!(workspace.containers("{{.Names}} {{.State}}"), [format!("{name} running")]);
}

#[test]
fn a_paused_container_goes_on() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
    docker(&["pause", &name]);
    workspace.run(&["db-verify"]).exits(4).shows("container-is-paused");
    workspace.run(&["db-setup"]).exits(0).shows("container-goes-on");
    assert_eq!(workspace.containers("{{.State}}"), ["running"]);
}

/// A machine with Docker and nothing of PostgreSQL.
#[test]
fn psql_is_the_images_where_there_is_no_other() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    let programs = workspace.root().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let path = workspace.path();
    let docker = std::env::split_paths(&path).map(|directory| directory.join("docker")).find(|path| path.exists());
    let docker = docker.unwrap();
    std::os::unix::fs::symlink(docker, programs.join("docker")).unwrap();
    // What else is said of engines was for none with a socket, and docker would take it for this one.
    let workspace = workspace.with("PATH", &programs.display().to_string()).with("DOCKER_TLS_VERIFY", "1");
    let version = workspace.run(&["db-psql", "--", "-A", "-t", "-c", "SHOW search_path"]).exits(0);
    assert_eq!(version.line(), "aura, public");
}
