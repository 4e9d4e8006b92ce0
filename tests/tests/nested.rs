//! The commands that the program runs in its turn.

use tests::{Cluster, Workspace};

/// Build scripts ask for these variables: seen by the cargo of the migrate command, each of them would
/// rebuild half of the workspace, and the next `cargo xtask` would build it back.
#[test]
fn the_migrate_command_does_not_see_what_cargo_run_says_of_xtask() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster)
        .with("CARGO_PKG_NAME", "xtask")
        .with("CARGO_MANIFEST_DIR", "/somewhere/xtask")
        .with("CARGO_HOME", "/keep/this")
        .with("MIGRATE_COMMAND", "env; false");
    let run = workspace.run(&["db-setup"]).exits(1);
    assert!(run.stderr.contains("| CARGO_HOME=/keep/this"), "{}", run.stderr);
    run.never_says("| CARGO_PKG_NAME").never_says("| CARGO_MANIFEST_DIR").never_says("ADMIN_DATABASE_URL=");
}
