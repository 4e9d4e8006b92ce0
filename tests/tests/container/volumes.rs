//! Where the data are: in the one volume that is this workspace's, whatever the image's version.

use tests::{Workspace, docker};

use crate::{assert_kept, keep_something};

/// Up to 17 the official image keeps its data where its volume is, from 18 on in a directory below.
#[test]
fn the_data_are_in_one_named_volume() {
    for (major, mount, data) in [
        (13, "/var/lib/postgresql/data", "/var/lib/postgresql/data"),
        (17, "/var/lib/postgresql/data", "/var/lib/postgresql/data"),
        (18, "/var/lib/postgresql", "/var/lib/postgresql/18/docker"),
    ] {
        let Some(workspace) = Workspace::new().in_container(major) else { return };
        workspace.run(&["db-setup"]).exits(0);
        keep_something(&workspace);
        let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
        let [volume] = workspace.volumes().try_into().unwrap();
        // An unnamed volume beside it would be listed too.
        let mounts = "{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}};{{end}}";
        let mounted = docker(&["inspect", "--format", mounts, &name]);
        assert_eq!(mounted.trim(), format!("volume {volume} {mount};"));
        let show = ["exec", &name, "psql", "-U", "postgres", "-At", "-c", "SHOW data_directory"];
        assert_eq!(docker(&show).trim(), data);

        workspace.run(&["db-stop"]).exits(0);
        workspace.run(&["db-setup"]).exits(0).complains("unchanged");
        assert_kept(&workspace);
        docker(&["rm", "--force", "--volumes", &name]);
        let setup = workspace.run(&["db-setup"]).exits(0).complains("unchanged");
        assert!(setup.stdout.contains("a new container on the kept data"), "{}", setup.stdout);
        assert_kept(&workspace);
        assert_eq!(docker(&["inspect", "--format", mounts, &name]), mounted);
        workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    }
}

/// A server that ends with its command has its data in memory, and no volume.
#[test]
fn a_throw_away_server_has_no_volume() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let label = format!("label=pg-container.workspace={}", workspace.root().display());
    let asked = format!(
        "docker inspect --format '{{{{json .Mounts}}}} {{{{json .HostConfig.Mounts}}}}' \
         $(docker ps --quiet --filter {label}) >mounts"
    );
    let command = format!("{} && {asked}", workspace.setting("MIGRATE_COMMAND"));
    let workspace = workspace.with("MIGRATE_COMMAND", &command);
    workspace.run(&["db-setup", "--ephemeral"]).exits(0);
    let mounts = std::fs::read_to_string(workspace.root().join("mounts")).unwrap();
    assert!(mounts.contains("\"Type\":\"tmpfs\"") && mounts.contains("\"Target\":\"/var/lib/postgresql\""), "{mounts}");
    assert!(!mounts.contains("volume"), "{mounts}");
}
