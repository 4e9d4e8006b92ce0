//! Another image, other settings, another server that was there before.

use tests::{Rung, Workspace, docker, image};

use crate::{assert_kept, keep_something};

#[test]
fn other_settings_are_another_container_on_the_same_data() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    keep_something(&workspace);
    assert_eq!(workspace.value("SHOW fsync"), "off");

    let workspace = workspace.with("DB_DURABLE", "yes");
    workspace.run(&["db-verify"]).exits(4);
    let setup = workspace.run(&["db-setup"]).exits(0).complains("durable (DB_DURABLE=yes)").complains("unchanged");
    assert!(setup.stdout.contains("a new container on the kept data"), "{}", setup.stdout);
    assert_eq!(workspace.value("SHOW fsync"), "on");
    assert_eq!(workspace.value("SHOW wal_level"), "replica");
    assert_kept(&workspace);
    // Two servers on the same data would ruin them.
    assert_eq!(workspace.containers("{{.Names}}").len(), 1);
    assert_eq!(workspace.volumes().len(), 1);

    let workspace = workspace.without("DB_DURABLE");
    workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    assert_eq!(workspace.value("SHOW fsync"), "off");
    workspace.with("DB_DURABLE", "perhaps").run(&["db-setup"]).exits(1).complains("neither yes nor no");
}

/// From the first byte on: what is initialised too.
#[test]
fn durable_data_are_synced_when_they_are_made() {
    for (durable, said) in [("yes", "syncing data to disk ... ok"), ("no", "Sync to disk skipped.")] {
        let Some(workspace) = Workspace::new().in_container(18) else { return };
        let workspace = workspace.with("DB_DURABLE", durable);
        workspace.run(&["db-setup"]).exits(0);
        let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
        let log = docker(&["logs", &name]);
        assert!(log.contains(said), "{log}");
    }
}

/// The container of the settings that were used last is not there, as another's start was not waited for.
#[test]
fn a_volume_of_two_containers_is_removed_with_both() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    let workspace = workspace.with("DB_DURABLE", "yes");
    workspace.run(&["db-setup", "--wait", "0"]).exits(4).complains("was not ready after 0.0 s");
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    assert_eq!((workspace.containers("{{.Names}}").len(), workspace.volumes().len()), (0, 0));
}

#[test]
fn the_settings_of_a_private_cluster_can_be_durable_too() {
    if Rung::named() != Rung::Local(None) {
        return;
    }
    let workspace = Workspace::new().with("DB_SERVER", "local");
    workspace.run(&["db-setup"]).exits(0);
    let durable = workspace.with("DB_DURABLE", "yes");
    // Nothing is started anew by who only looks.
    durable.run(&["db-verify"]).exits(0);
    assert_eq!(durable.value("SHOW fsync"), "off");
    durable.run(&["db-setup"]).exits(0).complains("starting the server anew").complains("unchanged");
    assert_eq!(durable.value("SHOW fsync"), "on");
    assert_eq!(durable.value("SHOW full_page_writes"), "on");
    durable.run(&["db-setup"]).exits(0);
}

#[test]
fn another_image_is_another_server() {
    let Some(workspace) = Workspace::new().in_container(17) else { return };
    let Some(newer) = image(18) else { return };
    workspace.run(&["db-setup"]).exits(0);
    let older = workspace.setting("POSTGRES_IMAGE").to_owned();
    let workspace = workspace.with("POSTGRES_IMAGE", &newer);
    workspace.run(&["db-verify"]).exits(4).complains("uses these data");
    workspace.run(&["db-setup"]).exits(0);
    assert!(workspace.value("SHOW server_version").starts_with("18."));
    let workspace = workspace.with("POSTGRES_IMAGE", &older);
    workspace.run(&["db-verify"]).exits(0);
    assert!(workspace.value("SHOW server_version").starts_with("17."));
    assert_eq!(workspace.containers("{{.Names}}").len(), 2);
    // Both are this workspace's.
    let stopped = workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    assert_eq!(stopped.stderr.matches("stopped the container").count(), 2, "{}", stopped.stderr);
    assert_eq!((workspace.containers("{{.Names}}").len(), workspace.volumes().len()), (0, 0));
}

/// An engine that comes up later does not take the data away that are there.
#[test]
fn a_private_cluster_with_data_comes_before_a_new_container() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let workspace = workspace.with("DB_SERVER", "local");
    workspace.run(&["db-setup"]).exits(0);
    workspace.run(&["db-stop"]).exits(0);
    let workspace = workspace.with("DB_SERVER", "auto");
    let setup = workspace.run(&["db-setup"]).exits(0).complains("container: the data of this workspace are in ");
    assert!(setup.stdout.contains("the kept cluster"), "{}", setup.stdout);
    assert_eq!(workspace.containers("{{.Names}}"), [""; 0]);
    // Whoever wants a container says so, and is then found there again.
    let container = workspace.with("DB_SERVER", "container");
    container.run(&["db-setup"]).exits(0);
    let auto = container.with("DB_SERVER", "auto");
    let status = auto.run(&["db-status"]).exits(0);
    assert!(status.stdout.contains("started earlier for this workspace, container aura-"), "{}", status.stdout);
    let stopped = auto.run(&["db-stop"]).exits(0).complains("stopped PostgreSQL ");
    assert!(stopped.stderr.contains("stopped the container"), "{}", stopped.stderr);
}

/// What is named for another server does not count for ours, as with a private cluster.
#[test]
fn names_and_password_of_the_url_are_kept() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let url = "DATABASE_URL=postgres://someone:your-password@db.example.invalid:6543/some_db?sslmode=verify-full\n";
    workspace.write(".env", url);
    workspace.run(&["db-setup"]).exits(0).complains("db.example.invalid:6543 is named");
    let url = workspace.run(&["db-url"]).exits(0);
    assert!(url.stdout.starts_with("postgresql://someone:your-password@127.0.0.1:"), "{}", url.stdout);
}
