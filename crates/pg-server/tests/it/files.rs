//! What is on the disk: whose it is, where it may be, and that no password leaves its file.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use pg_config::ConnInfo;
use pg_server::{Error, Mode};
use snapbox::{assert_data_eq, str};

use crate::support::{Place, execute, files, is_root, pid, purge, query, request, stop, superuser};

#[test]
fn passwords_are_in_their_files_and_nowhere_else() {
    let place = Place::empty();
    let server = place.start();
    let app = pg_server::app_password(&place.data_dir(), "aura_user").unwrap();
    let secrets = [app.reveal().to_owned(), superuser(&server).password.as_ref().unwrap().reveal().to_owned()];
    for (secret, holders) in secrets.iter().zip([1, 2]) {
        // The role's file; the template's and its copy's.
        let found = Command::new("grep").args(["-rlaF", secret]).arg(&place.root).output().unwrap();
        let found: Vec<String> = String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(found.len(), holders, "{found:?}");
        for file in found {
            let metadata = fs::metadata(&file).unwrap();
            assert_eq!((metadata.mode() & 0o7777, metadata.uid()), (0o600, nix::unistd::geteuid().as_raw()), "{file}");
        }
    }
    for what in ["cmdline", "environ"] {
        let text = String::from_utf8_lossy(&fs::read(format!("/proc/{}/{what}", pid(&server))).unwrap()).into_owned();
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
        assert!(!text.contains("CARGO"), "{text}");
    }
}

/// Makes the superuser's password useless: by its file, or by the superuser's own connection.
type Loss = (&'static str, fn(&Path, &ConnInfo));

const LOSSES: [Loss; 5] = [
    ("the file is missing", |file, _| fs::remove_file(file).unwrap()),
    ("the file is missing, and the superuser's sessions are read-only", |file, superuser| {
        execute(superuser, "ALTER ROLE postgres SET default_transaction_read_only = on");
        fs::remove_file(file).unwrap();
    }),
    ("the file is garbled", |file, _| fs::write(file, b"\xff\xfe\n").unwrap()),
    ("it was changed", |_, superuser| execute(superuser, "ALTER ROLE postgres PASSWORD 'another'")),
    ("it has expired", |_, superuser| {
        execute(superuser, "ALTER ROLE postgres VALID UNTIL '2000-01-01'");
    }),
];

#[test]
fn a_superuser_whose_password_is_lost_gets_a_new_one() {
    for (is_stopped, losses) in [(false, &LOSSES[..]), (true, &LOSSES[..1])] {
        for (what, lose) in losses {
            let place = Place::with_template();
            let server = place.start();
            let old = superuser(&server);
            let file = place.cluster().join("password");
            let database = "SELECT oid::text FROM pg_database WHERE datname = 'postgres'";
            let oid = query(old, database);
            lose(&file, old);
            if is_stopped {
                place.stop();
            } else {
                // Who may change nothing is told what does.
                let error = *place.find(Mode::Find).unwrap_err().error.unwrap();
                assert!(matches!(error, Error::PasswordLost { .. }), "{what}: {error}");
            }
            let (again, said) = place.find(Mode::Start).unwrap();
            assert!(said.iter().any(|line| line.contains("is lost")), "{what}: {said:?}");
            let new = superuser(&again);
            assert_eq!(query(new, database), oid, "{what}");
            let secret = new.password.as_ref().unwrap().reveal();
            assert_ne!(secret, old.password.as_ref().unwrap().reveal(), "{what}");
            let found = Command::new("grep").args(["-rlaF", secret]).arg(&place.root).output().unwrap();
            assert_eq!(String::from_utf8(found.stdout).unwrap().trim(), file.display().to_string(), "{what}");
            let verifier = Command::new("grep").args(["-lF", "SCRAM-SHA-256"]).args(logs(&place)).output().unwrap();
            assert!(verifier.stdout.is_empty(), "{what}: {verifier:?}");
            assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o600, "{what}");
        }
    }
}

fn logs(place: &Place) -> [PathBuf; 2] {
    ["log", "log.previous"].map(|name| place.cluster().join(name))
}

#[test]
fn nobody_else_reads_anything() {
    let place = Place::with_template();
    let server = place.start();
    let passage = if is_root() { 0o711 } else { 0o700 };
    for path in files(&place.data_dir()) {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let mode = metadata.mode() & 0o777;
        let of_server = path.starts_with(&server.local.as_ref().unwrap().data);
        if metadata.is_dir() && !of_server && mode & 0o077 != 0 {
            assert_eq!(mode, passage, "{}", path.display());
        }
        if of_server {
            assert_eq!(mode & 0o077, 0, "{}", path.display());
            assert_ne!(metadata.uid(), 0, "{}", path.display());
        }
    }
    let owner = fs::metadata(format!("/proc/{}", pid(&server))).unwrap().uid();
    assert_ne!(owner, 0, "the server does not run as root");
}

#[test]
fn callers_at_once_get_one_password() {
    let place = Place::with_template();
    let passwords: Vec<_> = thread::scope(|scope| {
        let calls: Vec<_> =
            (0..8).map(|_| scope.spawn(|| pg_server::app_password(&place.data_dir(), "app").unwrap())).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(passwords.iter().all(|password| password == &passwords[0]));
    assert_ne!(pg_server::app_password(&place.data_dir(), "App").unwrap(), passwords[0]);
    assert_eq!(fs::read_dir(place.data_dir().join("passwords")).unwrap().count(), 2);
}

#[test]
fn purge_deletes_what_is_ours_and_nothing_else() {
    let place = Place::with_template();
    let server = place.start();
    let theirs = place.data_dir().join("notes.txt");
    fs::write(&theirs, "mine").unwrap();
    assert_eq!(purge(&place.data_dir()).unwrap(), [pid(&server)]);
    assert_eq!(files(&place.data_dir()), [theirs]);

    // Without the marker it is somebody else's.
    for error in [
        purge(&place.data_dir()).unwrap_err(),
        stop(&place.data_dir()).unwrap_err(),
        *place.find(Mode::Start).unwrap_err().error.unwrap(),
    ] {
        assert!(matches!(error, Error::NotOurs { .. }), "{error}");
    }
    assert_eq!(fs::read_dir(place.data_dir()).unwrap().count(), 1);

    let clean = Place::with_template();
    clean.start();
    purge(&clean.data_dir()).unwrap();
    assert!(!clean.data_dir().exists());
    assert_eq!(purge(&clean.data_dir()).unwrap(), [0; 0]);
}

#[test]
fn a_long_path_has_no_socket_and_serves() {
    let place = Place::empty();
    let data_dir = place.root.join("d".repeat(100)).join("e".repeat(100));
    let server = pg_server::find(&request(&data_dir), &mut |_| {}).unwrap();
    assert_eq!(server.local.as_ref().unwrap().socket_dir, None);
    assert_eq!(query(superuser(&server), "SHOW unix_socket_directories"), "");
    purge(&data_dir).unwrap();
}

#[test]
fn an_odd_path_has_a_socket() {
    let place = Place::empty();
    let data_dir = place.root.join("it's, \"odd\" é");
    let server = pg_server::find(&request(&data_dir), &mut |_| {}).unwrap();
    let socket_dir = server.local.as_ref().unwrap().socket_dir.clone().unwrap();
    let info = pg_config::ConnInfo { host: pg_config::Host::Unix(socket_dir), ..superuser(&server).clone() };
    assert_eq!(query(&info, "SELECT 'by the socket'::text"), "by the socket");
    purge(&data_dir).unwrap();

    let error = pg_server::find(&request(&place.root.join("two\nlines")), &mut |_| {}).unwrap_err();
    assert!(matches!(error.error.as_deref(), Some(Error::Path { .. })), "{error}");
}

#[test]
fn a_closed_directory_above_is_named_before_anything_is_made() {
    if !is_root() {
        return;
    }
    let place = Place::empty();
    let closed = place.root.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    let error = pg_server::find(&request(&closed.join("data-dir")), &mut |_| {}).unwrap_err();
    assert!(matches!(error.error.as_deref(), Some(Error::Untraversable { .. })), "{error}");
    assert_data_eq!(
        place.masked(error),
        str![[r#"
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  container: DOCKER_HOST is unix:///nowhere/docker.sock, and there is no such socket
    help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
  local: the server's user postgres cannot reach [place]/closed/data-dir
    cause: it may not enter [place]/closed (mode 0700)
    help: chmod o+x [place]/closed
    help: or choose another path: DB_DATA_DIR for the data, PG_BIN_DIR for the binaries
"#]]
    );
    assert_eq!(files(&closed), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_directory_of_another_user_is_refused() {
    if !is_root() {
        return;
    }
    let place = Place::with_template();
    std::os::unix::fs::chown(place.data_dir(), Some(12345), None).unwrap();
    let error = place.find(Mode::Start).unwrap_err();
    assert!(matches!(error.error.as_deref(), Some(Error::OtherOwner { owner: 12345, .. })), "{error}");
    std::os::unix::fs::chown(place.data_dir(), Some(0), None).unwrap();
}
