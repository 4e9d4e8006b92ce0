//! Several setups at once.

use std::thread;

use tests::Workspace;

#[test]
fn eight_at_once_start_one_container() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let runs: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| workspace.run(&["db-setup", "--wait", "120"]))).collect();
        runs.into_iter().map(|run| run.join().unwrap().exits(0)).collect()
    });
    assert_eq!((workspace.containers("{{.Names}}").len(), workspace.volumes().len()), (1, 1));
    assert_eq!(runs.iter().filter(|run| run.stderr.contains("CREATE DATABASE")).count(), 1);
}

/// Two checkouts of one project: neither finds the other's server.
#[test]
fn each_workspace_has_a_container_of_its_own() {
    let Some(first) = Workspace::new().in_container(18) else { return };
    let second = Workspace::new().in_container(18).unwrap();
    // The very same path on another machine that uses the same engine looks like this: only the data differ.
    first.run(&["db-setup"]).exits(0);
    second.run(&["db-verify"]).exits(4).shows("no-server-yet");
    second.run(&["db-setup"]).exits(0);
    let name = |workspace: &Workspace| workspace.containers("{{.Names}}").remove(0);
    assert_ne!(name(&first), name(&second));
    let elsewhere = first.root().join("elsewhere").display().to_string();
    let run = |arguments: &[&str]| {
        let output = first.command(arguments).env("DB_DATA_DIR", &elsewhere).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&["db-verify"]).0, Some(4));
    let (code, said) = run(&["db-setup"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(first.containers("{{.Names}}").len(), 2);
    assert_eq!(run(&["db-stop", "--purge", "--yes"]).0, Some(0));
    first.run(&["db-verify"]).exits(0);
}
