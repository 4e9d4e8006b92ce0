//! The engine is stopped, and comes back: one of the test's own.

use tests::{Engine, Workspace};

use crate::{assert_kept, keep_something};

#[test]
fn a_restart_of_the_engine_is_survived() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let Some(mut engine) = Engine::start(workspace.setting("POSTGRES_IMAGE")) else { return };
    let workspace = workspace.with("DOCKER_HOST", &engine.host());
    workspace.run(&["db-setup"]).exits(0);
    keep_something(&workspace);

    engine.stop();
    workspace.run(&["db-verify"]).exits(4).shows("verify-without-engine");
    workspace.run(&["db-setup"]).exits(4).shows("setup-without-engine");
    workspace.run(&["db-status"]).exits(4).shows("status-without-engine");
    workspace.run(&["db-stop"]).exits(0).shows("stop-without-engine");
    // What cannot be removed is not forgotten either.
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(1).shows("purge-without-engine");

    engine.resume();
    workspace.run(&["db-verify"]).exits(4).shows("container-does-not-run");
    workspace.run(&["db-setup"]).exits(0).shows("kept-container");
    assert_kept(&workspace);
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    assert_eq!(engine.docker(&["ps", "--all", "--quiet"]), "");
    assert_eq!(engine.docker(&["volume", "ls", "--quiet"]), "");
}

/// While the engine is away nothing is set up in its place but by whoever says so; afterwards the container is still
/// there.
#[test]
fn no_other_rung_takes_the_data_away_while_the_engine_is_away() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let Some(mut engine) = Engine::start(workspace.setting("POSTGRES_IMAGE")) else { return };
    let workspace = workspace.with("DOCKER_HOST", &engine.host()).with("DB_SERVER", "auto");
    workspace.run(&["db-setup"]).exits(0);
    engine.stop();
    workspace.run(&["db-setup"]).exits(4).shows("no-other-rung");
    assert!(!workspace.root().join("servers/clusters").read_dir().unwrap().any(|_| true));
    workspace.run(&["db-setup", "--server", "local"]).exits(0);
    engine.resume();
    let container = workspace.with("DB_SERVER", "container");
    container.run(&["db-setup"]).exits(0).shows("container-after-private-cluster");
}

/// As tcp, too: the port of the container is then on this machine's own loopback address, or on the other machine's.
#[test]
fn an_engine_is_reached_by_tcp() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let Some(engine) = Engine::start(workspace.setting("POSTGRES_IMAGE")) else { return };
    let workspace = workspace.with("DOCKER_HOST", &engine.tcp());
    workspace.run(&["db-setup"]).exits(0);
    let url = workspace.run(&["db-url"]).exits(0);
    assert!(url.line().contains("@127.0.0.1:"), "{}", url.line());
    assert!(engine.docker(&["ps", "--format", "{{.Ports}}"]).starts_with("127.0.0.1:"));
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);

    // By another address of this machine, which looks like another machine.
    let workspace = workspace.with("DOCKER_HOST", &engine.tcp_elsewhere());
    workspace.run(&["db-setup"]).exits(0).shows("engine-on-another-machine");
    let url = workspace.run(&["db-url"]).exits(0);
    assert!(url.line().contains(&format!("@{}:", engine.address())), "{}", url.line());
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
}
