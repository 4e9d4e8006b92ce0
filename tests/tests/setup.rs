//! The main job: from nothing to a verified database.

use tests::{Cluster, Workspace};

#[test]
fn from_nothing_on_a_server_of_our_own() {
    let workspace = Workspace::new();
    workspace.run(&["db-setup"]).exits(0);
    workspace.verify().exits(0);
    assert_eq!(workspace.value("SELECT current_schema()"), "aura");
}

#[test]
fn a_second_setup_changes_nothing() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster);
    workspace.run(&["db-setup"]).exits(0);
    let again = workspace.run(&["db-setup"]).exits(0).complains("unchanged");
    assert!(!again.stderr.contains("ALTER"), "{}", again.stderr);
}
