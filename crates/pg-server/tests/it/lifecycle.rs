//! Started, found again, stopped, started by eight at once.

use std::{
    env,
    net::TcpListener,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use pg_server::{ClusterState, Mode, Rung};
use snapbox::{assert_data_eq, str};

use crate::support::{Place, execute, has_ended, pid, query, request, superuser};

#[test]
fn from_nothing_found_again_stopped_and_started_with_its_data() {
    let place = Place::empty();
    let (first, said) = place.find(Mode::Start).unwrap();
    assert_eq!((first.rung, first.started_now), (Rung::Local, true));
    assert_data_eq!(
        place.masked(said.join("\n")),
        str![[r#"
initialising a cluster of PostgreSQL [version] with [programs]/initdb
starting PostgreSQL [version] on 127.0.0.1:[port], for development (DB_DURABLE=no): fsync=off, full_page_writes=off, wal_level=minimal, max_wal_senders=0, max_logical_replication_workers=0
"#]]
    );
    let encoding =
        "SELECT concat_ws(' ', pg_encoding_to_char(encoding), upper('é')) FROM pg_database WHERE datname = 'template1'";
    assert_eq!(query(superuser(&first), encoding), "UTF8 É");
    execute(superuser(&first), "CREATE TABLE kept AS SELECT 'yes'::text AS answer");

    let (second, said) = place.find(Mode::Find).unwrap();
    assert!(!second.started_now && said.is_empty(), "{said:?}");
    assert_eq!((second.port, pid(&second)), (first.port, pid(&first)));
    assert_eq!(pg_server::clusters(&place.data_dir()).unwrap()[0].state, ClusterState::Running { pid: pid(&first) });

    assert_eq!(place.stop(), [pid(&first)]);
    assert!(has_ended(pid(&first)));
    assert_eq!(place.stop(), [0; 0]);
    assert_eq!(pg_server::clusters(&place.data_dir()).unwrap()[0].state, ClusterState::Stopped);

    let (third, said) = place.find(Mode::Start).unwrap();
    assert!(third.started_now && third.port == first.port, "{said:?}");
    assert_data_eq!(place.masked(&third.reason), str!["the kept cluster, by the installed binaries in [programs]"]);
    assert_eq!(query(superuser(&third), "SELECT answer FROM kept"), "yes");
}

#[test]
fn a_fresh_cluster_needs_no_second_initdb() {
    let place = Place::with_template();
    let (server, said) = place.find(Mode::Start).unwrap();
    assert_data_eq!(
        place.masked(said.join("\n")),
        str![
            "starting PostgreSQL [version] on 127.0.0.1:[port], for development (DB_DURABLE=no): fsync=off, full_page_writes=off, wal_level=minimal, max_wal_senders=0, max_logical_replication_workers=0"
        ]
    );
    assert_eq!(query(superuser(&server), "SHOW server_encoding"), "UTF8");
    assert_eq!(query(superuser(&server), "SHOW listen_addresses"), "127.0.0.1");
}

#[test]
fn eight_threads_get_one_server() {
    let place = Place::with_template();
    let servers: Vec<_> = thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| place.start())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(servers.iter().filter(|server| server.started_now).count(), 1);
    assert!(servers.iter().all(|server| pid(server) == pid(&servers[0])));
}

/// `output()` returns when the pipes are closed: a server that held them would keep it for ever.
#[test]
fn eight_processes_get_one_server_that_holds_none_of_their_pipes() {
    let place = Place::empty();
    let children: Vec<_> = (0..8)
        .map(|_| {
            Command::new(env::current_exe().unwrap())
                .args(["--exact", "lifecycle::one_of_eight_processes", "--nocapture"])
                .env("PG_SERVER_TEST_DATA_DIR", place.data_dir())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut found: Vec<String> = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find_map(|line| line.split_once("found ").map(|(_, rest)| rest.to_owned()));
        found.push(line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))));
    }
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 1, "{found:?}");
}

/// What each of the eight runs; by itself it does nothing.
#[test]
#[expect(clippy::disallowed_methods, reason = "the argument of a child process")]
fn one_of_eight_processes() {
    let Some(data_dir) = env::var_os("PG_SERVER_TEST_DATA_DIR").map(PathBuf::from) else { return };
    let server = pg_server::find(&request(&data_dir), &mut |_| {}).unwrap();
    println!("\nfound {} {}", server.port, pid(&server));
}

#[test]
fn a_taken_port_is_left_to_who_has_it() {
    let place = Place::with_template();
    let port = place.start().port;
    place.stop();
    let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let other = place.start();
    assert_ne!(other.port, port);
    place.stop();
    assert_eq!(place.start().port, other.port, "the new one is kept");
}

#[test]
fn stop_does_not_wait_for_sessions() {
    let place = Place::with_template();
    let server = place.start();
    let mut session = pg_config::connect(superuser(&server)).unwrap();
    session.client.batch_execute("BEGIN; CREATE TABLE open (); LOCK open").unwrap();
    let before = Instant::now();
    place.stop();
    assert!(before.elapsed().as_secs() < 5);
    assert!(has_ended(pid(&server)));
}
