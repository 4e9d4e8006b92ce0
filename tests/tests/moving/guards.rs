//! What a move needs said before it begins, and the files that it writes.

use std::net::{IpAddr, UdpSocket};

use tests::{Cluster, Workspace, shows, skipped};

use crate::place::{by_app, in_public, on, schema_of};

/// An address of this machine's that is none of its loopback: no packet is sent to learn it.
fn interface() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.77:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[test]
fn a_server_elsewhere_needs_its_name_and_a_dump_or_none() {
    let Some(ip) = interface() else { return skipped("no network interface but loopback") };
    let cluster = Cluster::start_with(&[("listen_addresses", "*")]);
    cluster.let_in("host all all all scram-sha-256");
    let workspace = on(&cluster, &by_app("CREATE TABLE public.a (id int)"));
    let there = |key: &str| workspace.setting(key).replace("127.0.0.1", &ip.to_string());
    let workspace = Workspace::new()
        .with("DATABASE_URL", &there("DATABASE_URL"))
        .with("ADMIN_DATABASE_URL", &there("ADMIN_DATABASE_URL"));
    let host = ip.to_string();
    let mut screens = String::new();
    for arguments in [&["db-move"][..], &["db-move", "--host", "localhost"], &["db-move", "--host", &host]] {
        screens += &workspace.run(arguments).exits(1).screen();
        assert_eq!(schema_of(&cluster, "a"), "public");
    }
    shows("elsewhere", &screens.replace(&host, "INTERFACE"));
    workspace.run(&["db-move", "--dry-run"]).exits(3);
    workspace.run(&["db-move", "--host", &host, "--no-backup"]).exits(0);
    assert_eq!(schema_of(&cluster, "a"), "aura");
}

#[test]
fn files_that_are_there_are_not_overwritten() {
    let (cluster, workspace) = in_public(&by_app("CREATE TABLE public.a (id int)"));
    let file = workspace.root().join("back.sql");
    workspace.write("back.sql", "mine");
    let mut screens = workspace.run(&["db-move", "--undo", file.to_str().unwrap()]).exits(1).screen();
    screens += &workspace.run(&["db-move", "--backup", file.to_str().unwrap()]).exits(1).screen();
    shows("files", &screens);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(schema_of(&cluster, "a"), "public");
    workspace.run(&["db-move", "--dry-run", "--prepare"]).exits(2);
}

#[test]
fn a_dump_comes_first() {
    let (cluster, workspace) = in_public(&by_app("CREATE TABLE public.a (id int); INSERT INTO public.a VALUES (7)"));
    let file = workspace.root().join("before.dump");
    workspace.run(&["db-move", "--backup", file.to_str().unwrap()]).exits(0);
    let mut restore = tests::scrubbed("pg_restore");
    let output = restore.args(["--file=-", "--data-only"]).arg(&file).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("COPY public.a (id) FROM stdin;\n7\n"));
    assert_eq!(schema_of(&cluster, "a"), "aura");
}

#[test]
fn a_dump_that_does_not_come_about_leaves_no_file() {
    let (cluster, workspace) = in_public(&by_app("CREATE TABLE public.a (id int)"));
    let file = workspace.root().join("before.dump");
    let workspace = workspace.with("PATH", "/nowhere");
    workspace.run(&["db-move", "--backup", file.to_str().unwrap()]).exits(1).complains("pg_dump");
    assert!(!file.exists());
    assert_eq!(schema_of(&cluster, "a"), "public");
}

#[test]
fn more_locks_than_the_server_holds_are_known_before() {
    let cluster = Cluster::start_with(&[("max_locks_per_transaction", "10"), ("max_connections", "20")]);
    let workspace = on(&cluster, crate::place::THEIRS);
    for ten in 0..25 {
        let tables: Vec<_> = (0..10).map(|one| format!("CREATE TABLE public.t{ten}{one} (id int)")).collect();
        cluster.sql("aura_db", &by_app(&tables.join("; ")));
    }
    let run = workspace.run(&["db-move"]).exits(1);
    shows("locks", &run.screen());
    assert_eq!(schema_of(&cluster, "t00"), "public");
}
