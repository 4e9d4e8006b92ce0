//! Who sees the server and its password.

use std::{
    collections::BTreeSet,
    fs,
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use tests::{Workspace, docker, psql};

/// The command lines of all processes, again and again for as long as something goes on.
fn command_lines_during(what: impl FnOnce()) -> String {
    let goes_on = AtomicBool::new(true);
    thread::scope(|scope| {
        let seen = scope.spawn(|| {
            let mut lines = BTreeSet::new();
            while goes_on.load(Ordering::SeqCst) {
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    lines.insert(String::from_utf8_lossy(&line).replace('\0', " "));
                }
                thread::sleep(Duration::from_millis(2));
            }
            lines.into_iter().collect::<Vec<_>>().join("\n")
        });
        what();
        goes_on.store(false, Ordering::SeqCst);
        seen.join().unwrap()
    })
}

#[test]
fn the_password_is_in_no_process_list_and_no_log() {
    let Some(workspace) = Workspace::new().in_container(18) else { return };
    let mut said = String::new();
    let lines = command_lines_during(|| {
        let setup = workspace.run(&["db-setup", "-v"]).exits(0);
        said = setup.stdout + &setup.stderr;
    });
    assert!(lines.contains("initdb") && lines.contains("pg-container") && lines.contains("fsync=off"), "{lines}");
    let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
    let superusers = workspace.root().join("servers/containers").join(&name).join("password");
    let superusers = fs::read_to_string(superusers).unwrap();
    let apps = fs::read_to_string(workspace.root().join("servers/passwords/aura_user")).unwrap();
    let log = docker(&["logs", &name]);
    assert!(log.contains("ready to accept connections"), "{log}");
    for password in [superusers.trim(), apps.trim()] {
        assert_eq!(password.len(), 32);
        for text in [&lines, &said, &log] {
            assert!(!text.contains(password));
        }
    }
}

#[test]
fn only_this_machine_with_the_password_gets_in() {
    let Some(workspace) = Workspace::new().in_container(13) else { return };
    workspace.run(&["db-setup"]).exits(0);
    let admin = workspace.run(&["db-url", "--admin"]).exits(0);
    let url = admin.line().to_owned();
    assert_eq!(psql(&url, &["-c", "SHOW password_encryption"], "").exits(0).line(), "scram-sha-256");
    let address = url.rsplit_once('@').unwrap().1;
    // libpq's own words, and the server's.
    let without = format!("postgresql://postgres@{address}");
    psql(&without, &["-w"], "").exits(2).complains("no password supplied");
    let wrong = format!("postgresql://postgres:wrong@{address}");
    psql(&wrong, &["-w"], "").exits(2).complains("password authentication failed");
    // From the container's own loopback address, as some engines let published connections arrive, no less.
    let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
    let inside = ["exec", &name, "psql", "-w", "-h", "127.0.0.1", "-U", "postgres", "-c", "SELECT 1"];
    let output = std::process::Command::new("docker").args(inside).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("no password supplied"), "{output:?}");

    let port: u16 = docker(&["port", &name, "5432"]).trim().rsplit_once(':').unwrap().1.parse().unwrap();
    let others = docker(&["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]);
    let others = others.trim();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert!(TcpStream::connect((others, port)).is_err(), "published on {others} too");
}
