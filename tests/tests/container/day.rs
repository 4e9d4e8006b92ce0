//! A day's work with a server in a container, as a person goes about it.

use std::fs;

use tests::{Workspace, docker, psql};

use crate::{assert_kept, keep_something};

#[test]
fn set_up_stopped_found_again_and_gone() {
    for major in [13, 15, 17, 18] {
        let Some(workspace) = Workspace::new().in_container(major) else { return };
        let setup = workspace.run(&["db-setup"]).exits(0).complains("for development (DB_DURABLE=no): fsync=off");
        assert!(setup.stdout.contains("a new container, aura-"), "{}", setup.stdout);
        workspace.run(&["db-verify"]).exits(0);
        let url = workspace.run(&["db-url"]).exits(0);
        assert_eq!(psql(url.line(), &["-c", "SHOW search_path"], "").exits(0).line(), "aura, public");
        keep_something(&workspace);
        let [name] = workspace.containers("{{.Names}} {{.Ports}}").try_into().unwrap();
        assert!(name.contains(" 127.0.0.1:") && !name.contains("0.0.0.0"), "{name}");

        // Found again, without another container.
        let again = workspace.run(&["db-setup"]).exits(0).complains("unchanged");
        assert!(!again.stderr.contains("starting"), "{}", again.stderr);
        let status = workspace.run(&["db-status"]).exits(0);
        assert!(status.stdout.contains(": running, port "), "{}", status.stdout);
        assert!(status.stdout.contains("started earlier for this workspace, container aura-"), "{}", status.stdout);

        // Stopped, and started with its data.
        workspace.run(&["db-stop"]).exits(0).complains("stopped the container aura-");
        workspace.run(&["db-stop"]).exits(0).complains("no server of this workspace was running");
        workspace.run(&["db-verify"]).exits(4).complains("does not run [`cargo xtask db-setup` starts it]");
        let status = workspace.run(&["db-status"]);
        assert!(status.stdout.contains(": stopped, exit code 0"), "{}", status.stdout);
        let setup = workspace.run(&["db-setup"]).exits(0).complains("unchanged");
        assert!(setup.stdout.contains("the kept container, aura-"), "{}", setup.stdout);
        assert_kept(&workspace);

        workspace.run(&["db-stop", "--purge"]).exits(1).complains("add --yes");
        workspace.run(&["db-stop", "--purge", "--yes"]).exits(0).complains("stopped the container");
        assert_eq!(workspace.containers("{{.Names}}"), [""; 0]);
        assert_eq!(workspace.volumes(), [""; 0]);
        assert!(!workspace.root().join("servers").exists());
    }
}

/// Somebody cleaned up with the engine's own commands: the data are in the volume.
#[test]
fn a_removed_container_is_made_again_on_its_data() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    keep_something(&workspace);
    let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
    docker(&["rm", "--force", "--volumes", &name]);
    let status = workspace.run(&["db-status"]);
    assert!(status.stdout.contains(": removed; its data are kept"), "{}", status.stdout);
    let setup = workspace.run(&["db-setup"]).exits(0);
    assert!(setup.stdout.contains("a new container on the kept data, aura-"), "{}", setup.stdout);
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
    let words = format!("{} is no record of a container [delete that file and run", record.display());
    for (arguments, code) in
        [(&["db-setup"][..], 4), (&["db-verify"], 4), (&["db-stop"], 1), (&["db-stop", "--purge", "--yes"], 1)]
    {
        workspace.run(arguments).exits(code).complains(&words);
    }
    fs::remove_file(&record).unwrap();
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
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
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    assert_eq!(workspace.containers("{{.Names}} {{.State}}"), [format!("{name} running")]);
}

#[test]
fn a_paused_container_goes_on() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
    docker(&["pause", &name]);
    workspace.run(&["db-verify"]).exits(4).complains("does not run");
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
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
