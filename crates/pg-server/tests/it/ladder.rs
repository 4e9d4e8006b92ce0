//! Which rung serves, and what is said of the others.

use std::{collections::BTreeSet, fs, path::Path};

use pg_config::{Address, Host, ServerChoice};
use pg_server::{Error, Mode, Request, Rung};
use snapbox::{assert_data_eq, str};

use crate::support::{Place, binaries, pid, request};

fn named() -> Option<Address> {
    Some(Address { host: Host::Tcp("db.example.invalid".to_owned()), port: 6543 })
}

#[test]
fn a_named_server_is_taken_without_a_look_at_any_other() {
    for choice in [ServerChoice::Auto, ServerChoice::Env] {
        let nowhere = Path::new("/nowhere");
        let server =
            pg_server::find(&Request { choice, named: named(), ..request(nowhere) }, &mut |_| panic!("said something"))
                .unwrap();
        assert_eq!(
            (server.rung, server.host.to_string(), server.port),
            (Rung::Env, "db.example.invalid".to_owned(), 6543)
        );
        assert!(server.superuser.is_none() && !server.started_now);
    }
}

#[test]
fn local_beats_a_named_server_when_asked_for() {
    let place = Place::with_template();
    let data_dir = place.data_dir();
    let request = Request { choice: ServerChoice::Local, named: named(), ..request(&data_dir) };
    let server = pg_server::find(&request, &mut |_| {}).unwrap();
    assert_eq!(server.rung, Rung::Local);
    assert_eq!(server.skipped[0].rung, Rung::Env);
    assert_data_eq!(
        server.skipped[0].to_string(),
        str!["env: db.example.invalid:6543 is named, but --server local comes first"]
    );
}

#[test]
fn nothing_is_found_where_nothing_may_be_started() {
    let place = Place::with_template();
    let none = place.find(Mode::Find).unwrap_err();
    assert!(none.error.is_none());
    assert_data_eq!(
        place.masked(none),
        str![[r#"
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  local: no server was started for this workspace yet
    help: start one: cargo xtask db-setup
"#]]
    );
    place.start();
    place.stop();
    assert_data_eq!(
        place.masked(place.find(Mode::Find).unwrap_err()),
        str![[r#"
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  local: the server of [place]/data-dir/clusters/[version]/data (PostgreSQL [version]) is stopped
    help: start it: cargo xtask db-setup
"#]]
    );
}

#[test]
fn a_rung_that_cannot_serve_says_what_would() {
    let place = Place::empty();
    let data_dir = place.data_dir();
    let text = [ServerChoice::Env, ServerChoice::Container]
        .map(|choice| pg_server::find(&Request { choice, ..request(&data_dir) }, &mut |_| {}).unwrap_err().to_string());
    assert_data_eq!(
        text.join("\n"),
        str![[r#"
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
no PostgreSQL server found
  container: DOCKER_HOST is unix:///nowhere/docker.sock, and there is no such socket
    help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
"#]]
    );
    assert!(!data_dir.exists());
}

#[test]
fn pg_bin_dir_is_taken_at_its_word() {
    let place = Place::with_template();
    let data_dir = place.data_dir();
    let mut said = BTreeSet::new();
    for directory in [Path::new("/nowhere"), place.root.as_path()] {
        for mode in [Mode::Find, Mode::Start] {
            let wrong = Request { mode, bin_dir: Some(directory), ..request(&data_dir) };
            let error = pg_server::find(&wrong, &mut |_| {}).unwrap_err();
            assert!(matches!(error.error.as_deref(), Some(Error::BinDir { .. })), "{error}");
            said.insert(place.masked(error) + "\n");
        }
    }
    assert_data_eq!(
        said.into_iter().collect::<String>(),
        str![[r#"
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  local: PG_BIN_DIR is /nowhere, and it holds no `initdb` and no `postgres`
    help: unset it, or set it to the directory of `initdb` and `postgres`, version 13 or newer
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  local: PG_BIN_DIR is [place], and it holds no `initdb` and no `postgres`
    help: unset it, or set it to the directory of `initdb` and `postgres`, version 13 or newer

"#]]
    );
    // A directory of links is as good as the real one, and found again by either name.
    let links = place.root.join("bin");
    std::os::unix::fs::symlink(&binaries().directory, &links).unwrap();
    let by_links = Request { bin_dir: Some(&links), ..request(&data_dir) };
    let server = pg_server::find(&by_links, &mut |_| {}).unwrap();
    assert_eq!(server.local.as_ref().unwrap().bin_dir, links);
    let real = binaries().directory;
    let by_name = Request { mode: Mode::Find, bin_dir: Some(&real), ..request(&data_dir) };
    assert_eq!(pid(&pg_server::find(&by_name, &mut |_| {}).unwrap()), pid(&server));
    // The links are gone: the same version is found elsewhere.
    place.stop();
    fs::remove_file(&links).unwrap();
    let (again, said) = place.find(Mode::Start).unwrap();
    assert!(again.started_now);
    assert_data_eq!(
        place.masked(said.join("\n")),
        str![
            "starting PostgreSQL [version] on 127.0.0.1:[port], for development (DB_DURABLE=no): fsync=off, full_page_writes=off, wal_level=minimal, max_wal_senders=0, max_logical_replication_workers=0"
        ]
    );
}

#[test]
fn the_data_directory_may_be_a_link() {
    let place = Place::with_template();
    let link = place.root.join("link");
    std::os::unix::fs::symlink(place.data_dir(), &link).unwrap();
    let by_link = pg_server::find(&request(&link), &mut |_| {}).unwrap();
    assert_eq!(pid(&place.find(Mode::Find).unwrap().0), pid(&by_link));
}
