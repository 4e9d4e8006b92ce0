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

use crate::{assert_kept, keep_something};

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
fn the_password_is_in_no_process_list_and_no_log_and_not_in_what_the_engine_tells_of_the_container() {
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
    let inspected = docker(&["inspect", &name]);
    assert!(inspected.contains("POSTGRES_PASSWORD_FILE="), "{inspected}");
    for password in [superusers.trim(), apps.trim()] {
        assert_eq!(password.len(), 32);
        for text in [&lines, &said, &log, &inspected] {
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

/// What the image needs as root before its server is another user's, and nothing else.
#[test]
fn the_server_has_no_capability_and_can_gain_none() {
    for major in [13, 18] {
        let Some(workspace) = Workspace::new().in_container(major) else { return };
        workspace.run(&["db-setup"]).exits(0);
        let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
        let status = docker(&["exec", &name, "cat", "/proc/1/status"]);
        let field = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_else(|| panic!("{status}"));
            u64::from_str_radix(line.trim_start_matches(':').trim(), 16).unwrap()
        };
        assert_eq!([field("CapEff"), field("CapPrm"), field("CapInh"), field("CapAmb")], [0; 4], "{status}");
        // CHOWN, DAC_OVERRIDE, FOWNER, SETGID, SETUID (linux/capability.h).
        assert_eq!(field("CapBnd"), [0, 1, 3, 6, 7].map(|bit| 1 << bit).iter().sum::<u64>(), "{status}");
        assert_eq!(field("NoNewPrivs"), 1, "{status}");
        // A stopped one starts with the same.
        workspace.run(&["db-stop"]).exits(0);
        workspace.run(&["db-setup"]).exits(0);
        assert!(docker(&["exec", &name, "cat", "/proc/1/status"]).contains("NoNewPrivs:\t1"));
    }
}

/// Earlier releases gave the password by the environment, and no limits; such a container goes on.
#[test]
fn a_container_of_an_earlier_release_goes_on() {
    for major in [13, 18] {
        let Some(workspace) = Workspace::new().in_container(major) else { return };
        workspace.run(&["db-setup"]).exits(0);
        keep_something(&workspace);
        let [name] = workspace.containers("{{.Names}}").try_into().unwrap();
        let [volume] = workspace.volumes().try_into().unwrap();
        let inspect = |format: &str| docker(&["inspect", &name, "--format", format]).trim().to_owned();
        let point = inspect("{{(index .Mounts 0).Destination}}");
        let label = inspect("pg-container.workspace={{index .Config.Labels \"pg-container.workspace\"}}");
        let command = inspect("{{range .Config.Cmd}}{{println .}}{{end}}");
        let password = workspace.root().join("servers/containers").join(&name).join("password");
        let password = format!("POSTGRES_PASSWORD={}", fs::read_to_string(password).unwrap().trim());
        docker(&["rm", "--force", &name]);
        let image = workspace.setting("POSTGRES_IMAGE").to_owned();
        let (mount, of_volume) = (format!("{volume}:{point}"), format!("pg-container.volume={volume}"));
        let old = [
            &["create", "--name", &name, "--volume", &mount, "--publish", "127.0.0.1::5432", "--env", &password][..],
            &["--label", &label, "--label", &of_volume, &image],
        ];
        docker(&old.concat().into_iter().chain(command.lines()).collect::<Vec<_>>());
        docker(&["start", &name]);
        docker(&["stop", &name]);
        let setup = workspace.run(&["db-setup"]).exits(0);
        assert!(setup.stdout.contains("the kept container"), "{}", setup.stdout);
        assert_kept(&workspace);
        // The next one, on the same data, is made without.
        docker(&["rm", "--force", &name]);
        workspace.run(&["db-setup"]).exits(0);
        assert_kept(&workspace);
        assert!(!docker(&["inspect", &name]).contains(&password));
        workspace.run(&["db-stop"]).exits(0);
        workspace.run(&["db-setup"]).exits(0);
        assert_kept(&workspace);
    }
}
