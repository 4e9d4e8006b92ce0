//! Killed servers, stale pid files, half-made directories, damaged templates: none of them blocks.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Child, Command},
    time::{Duration, SystemTime},
};

use pg_server::{ClusterState, Error, Mode, Request};
use snapbox::{assert_data_eq, str};

use crate::support::{
    Place, binaries, execute, files, is_root, kill, path_variable, pid, purge, query, request, runs, superuser,
};

/// A process that is no server, and ends with the test.
struct Sleeper(Child);

impl Sleeper {
    /// Of the user whom the server runs as: only then PostgreSQL takes it for a server.
    fn as_owner_of(path: &Path) -> Self {
        let mut command = Command::new("sleep");
        if is_root() {
            command.uid(fs::metadata(path).unwrap().uid());
        }
        Self(command.arg("60").spawn().unwrap())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes a file in a data directory, as the user whom the server runs as would.
fn write_as_server(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    chown(path, Some(path.parent().unwrap().metadata().unwrap().uid()), None).unwrap();
}

#[test]
fn a_killed_server_is_started_again_with_its_data() {
    let place = Place::with_template();
    let server = place.start();
    execute(superuser(&server), "CREATE TABLE kept AS SELECT 'yes'::text AS answer");
    // A session, so that there is a child with the shared memory.
    let _session = pg_config::connect(superuser(&server)).unwrap();
    for _ in 0..3 {
        let killed = place.start();
        kill(pid(&killed));
        let again = place.start();
        assert_ne!(pid(&again), pid(&killed));
        assert_eq!(query(superuser(&again), "SELECT answer FROM kept"), "yes");
    }
}

#[test]
fn a_stale_pid_file_with_a_living_process_is_removed() {
    let place = Place::with_template();
    let server = place.start();
    let data = &server.local.as_ref().unwrap().data;
    let written = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    place.stop();
    let sleeper = Sleeper::as_owner_of(data);
    let stale = written.replace(&pid(&server).to_string(), &sleeper.0.id().to_string());
    write_as_server(&data.join("postmaster.pid"), &stale);
    // The socket's lock file names it too.
    let run = place.cluster().join("run");
    fs::write(run.join(format!(".s.PGSQL.{}.lock", server.port)), &stale).unwrap();

    assert!(place.find(Mode::Find).is_err());
    assert_eq!(place.stop(), [0; 0], "somebody else's process is not stopped");
    assert!(runs(sleeper.0.id()));
    let (again, said) = place.find(Mode::Start).unwrap();
    assert!(again.started_now);
    assert_data_eq!(
        place.masked(said.join("\n")).replace(&sleeper.0.id().to_string(), "[pid]"),
        str![[r#"
removing a stale postmaster.pid in [place]/data-dir/clusters/[version]/data: its process [pid] is no server of this directory
starting PostgreSQL [version] on 127.0.0.1:[port], for development (DB_DURABLE=no): fsync=off, full_page_writes=off, wal_level=minimal, max_wal_senders=0, max_logical_replication_workers=0
"#]]
    );
    assert!(runs(sleeper.0.id()));
}

#[test]
fn a_pid_file_of_a_dead_process_or_of_garbage_is_no_obstacle() {
    let place = Place::with_template();
    let server = place.start();
    let path = server.local.as_ref().unwrap().data.join("postmaster.pid");
    let written = fs::read_to_string(&path).unwrap();
    place.stop();
    let mut dead = Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    write_as_server(&path, &written.replace(&pid(&server).to_string(), &dead.id().to_string()));
    assert!(place.start().started_now);
    place.stop();
    for text in ["", "\0\0\0\0"] {
        write_as_server(&path, text);
        File::open(&path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
        assert!(place.start().started_now);
        place.stop();
    }
}

#[test]
fn what_a_killed_process_left_unfinished_is_deleted() {
    let place = Place::with_template();
    let left = place.data_dir().join("clusters/.new-1-0");
    fs::create_dir_all(left.join("data")).unwrap();
    fs::create_dir_all(place.cluster()).unwrap();
    let (server, said) = place.find(Mode::Start).unwrap();
    assert!(server.started_now);
    // An empty directory is not put aside.
    assert_data_eq!(
        place.masked(said.join("\n")),
        str![
            "starting PostgreSQL [version] on 127.0.0.1:[port], for development (DB_DURABLE=no): fsync=off, full_page_writes=off, wal_level=minimal, max_wal_senders=0, max_logical_replication_workers=0"
        ]
    );
    assert!(!left.exists());
}

#[test]
fn a_cluster_that_lost_its_control_file_is_put_aside_and_never_deleted() {
    // Gone, cut off by a power cut, zeroed by one, or the whole disk is not mounted.
    let damages: [fn(&Path); 4] = [
        |data| fs::remove_file(data.join("global/pg_control")).unwrap(),
        |data| File::options().write(true).open(data.join("global/pg_control")).unwrap().set_len(0).unwrap(),
        |data| fs::write(data.join("global/pg_control"), [0; 8192]).unwrap(),
        |data| {
            fs::rename(data, data.with_file_name("elsewhere")).unwrap();
            fs::create_dir(data).unwrap();
        },
    ];
    let mut words = BTreeSet::new();
    for damage in damages {
        let place = Place::with_template();
        let server = place.start();
        execute(superuser(&server), "CREATE TABLE precious AS SELECT 1");
        place.stop();
        damage(&server.local.as_ref().unwrap().data);
        let before = files(&place.cluster()).len();
        let state = pg_server::clusters(&place.data_dir()).unwrap().remove(0).state;
        assert!(matches!(state, ClusterState::Broken { .. }), "{state:?}");

        let (again, said) = place.find(Mode::Start).unwrap();
        assert!(again.started_now);
        assert_eq!(query(superuser(&again), "SELECT 'up'::text"), "up");
        let clusters = fs::read_dir(place.data_dir().join("clusters")).unwrap();
        let aside: Vec<_> =
            clusters.map(|entry| entry.unwrap().path()).filter(|path| *path != place.cluster()).collect();
        assert_eq!(aside.len(), 1, "{aside:?}");
        let line = said.join("\n").replace(aside[0].to_str().unwrap(), "[aside]");
        words.insert(place.masked(line).replace(place.cluster().to_str().unwrap(), "[cluster]") + "\n");
        assert_eq!(files(&aside[0]).len(), before, "nothing in it is gone");

        // The next commands pass it by, and it is told of.
        assert_eq!(place.find(Mode::Find).unwrap().0.port, again.port);
        let states = pg_server::clusters(&place.data_dir()).unwrap();
        assert!(matches!(states[0].state, ClusterState::Running { .. }), "{states:?}");
        assert!(matches!(states[1].state, ClusterState::Broken { .. }), "{states:?}");
        assert_eq!(place.stop().len(), 1);
        assert!(place.start().started_now);
        assert!(aside[0].exists());
        purge(&place.data_dir()).unwrap();
        assert!(!place.data_dir().exists());
    }
    assert_data_eq!(
        words.into_iter().collect::<String>(),
        str![[r#"
the cluster in [place]/data-dir/clusters/[version] cannot start (data/PG_VERSION is missing): it is put aside as [aside], with all that it holds; if only its disk was not mounted, stop the new server and rename it back
starting PostgreSQL [version] on 127.0.0.1:[port], for development (DB_DURABLE=no): fsync=off, full_page_writes=off, wal_level=minimal, max_wal_senders=0, max_logical_replication_workers=0
the cluster in [place]/data-dir/clusters/[version] cannot start (data/global/pg_control is empty): it is put aside as [aside], with all that it holds; if only its disk was not mounted, stop the new server and rename it back
starting PostgreSQL [version] on 127.0.0.1:[port], for development (DB_DURABLE=no): fsync=off, full_page_writes=off, wal_level=minimal, max_wal_senders=0, max_logical_replication_workers=0
the cluster in [place]/data-dir/clusters/[version] cannot start (data/global/pg_control is missing): it is put aside as [aside], with all that it holds; if only its disk was not mounted, stop the new server and rename it back
starting PostgreSQL [version] on 127.0.0.1:[port], for development (DB_DURABLE=no): fsync=off, full_page_writes=off, wal_level=minimal, max_wal_senders=0, max_logical_replication_workers=0

"#]]
    );
}

#[test]
fn a_broken_cluster_of_another_version_is_left_where_it_is() {
    let place = Place::with_template();
    place.start();
    place.stop();
    let other = place.data_dir().join("clusters/14/data/base/1");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("1259"), "rows").unwrap();
    assert!(place.start().started_now);
    assert!(other.join("1259").exists());
}

#[test]
fn a_damaged_template_is_made_anew() {
    let place = Place::with_template();
    let templates = place.data_dir().join("templates");
    let template = fs::read_dir(templates).unwrap().next().unwrap().unwrap().path();
    File::options().write(true).open(template.join("data/global/pg_control")).unwrap().set_len(100).unwrap();
    let (server, said) = place.find(Mode::Start).unwrap();
    assert!(said.iter().any(|line| line.contains("global/pg_control")), "{said:?}");
    assert_eq!(query(superuser(&server), "SELECT 'up'::text"), "up");
}

#[test]
fn a_server_that_ends_at_once_says_why() {
    let place = Place::with_template();
    let server = place.start();
    place.stop();
    let conf = server.local.as_ref().unwrap().data.join("postgresql.conf");
    let text = fs::read_to_string(&conf).unwrap();
    fs::write(&conf, format!("{text}\nshared_preload_libraries = 'no_such_library'\n")).unwrap();
    let error = place.find(Mode::Start).unwrap_err();
    // It was not waited for: that would be another error.
    assert!(matches!(error.error.as_deref(), Some(Error::Exited { .. })), "{error}");
    assert!(error.to_string().contains("no_such_library"), "{error}");
}

#[test]
fn a_held_lock_is_waited_for_within_bounds() {
    let place = Place::with_template();
    let lock = File::options().write(true).create(true).truncate(false).open(place.data_dir().join("lock")).unwrap();
    lock.lock().unwrap();
    let data_dir = place.data_dir();
    let short = pg_server::Request { wait: Duration::from_millis(50), ..request(&data_dir) };
    let error = pg_server::find(&short, &mut |_| {}).unwrap_err();
    assert!(matches!(error.error.as_deref(), Some(Error::Locked { .. })), "{error}");
    assert_data_eq!(
        place.masked(error),
        str![[r#"
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  container: DOCKER_HOST is unix:///nowhere/docker.sock, and there is no such socket
    help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
  local: the process [process] has held [place]/data-dir/lock for more than 0.1 s
    help: wait for its end, or give more seconds: --wait SECONDS
"#]]
    );
    drop(lock);
    assert!(place.start().started_now);
}

#[test]
fn data_without_binaries_are_named_and_kept_and_nothing_is_made_in_their_place() {
    let place = Place::with_template();
    let old = place.data_dir().join("clusters/14");
    fs::create_dir_all(old.join("data/global")).unwrap();
    for name in ["data/PG_VERSION", "data/global/pg_control"] {
        fs::write(old.join(name), "14\n").unwrap();
    }
    fs::write(old.join("binaries"), "/opt/gone/bin\n14.1\nstamp\n").unwrap();
    let error = place.find(Mode::Start).unwrap_err();
    assert!(matches!(error.error.as_deref(), Some(Error::OtherData(_))), "{error}");
    assert_data_eq!(
        place.masked(error),
        str![[r#"
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  container: DOCKER_HOST is unix:///nowhere/docker.sock, and there is no such socket
    help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
  local: the data of this workspace are in [place]/data-dir/clusters/14/data (PostgreSQL 14), but no PostgreSQL 14 is installed (it was in /opt/gone/bin). PostgreSQL [version] cannot read these data. Nothing was started or changed.
      To continue with these data (permanently: put PG_BIN_DIR=/opt/gone/bin into .env): install PostgreSQL 14 beside [version], then
        PG_BIN_DIR=/opt/gone/bin cargo xtask db-setup --server local
      To start with an empty database, and keep these data:
        PG_BIN_DIR=[programs] cargo xtask db-setup --server local
      To copy these data to the new database: install PostgreSQL 14 beside [version], then
        PG_BIN_DIR=/opt/gone/bin cargo xtask db-setup --server local
        (eval "$(PG_BIN_DIR=/opt/gone/bin cargo xtask db-env --server local)"; [programs]/pg_dump --no-owner --no-privileges --schema=app) >data.sql
        PG_BIN_DIR=[programs] cargo xtask db-setup --server local
        (echo 'DROP SCHEMA app CASCADE;'; cat data.sql) | PG_BIN_DIR=[programs] cargo xtask db-psql --server local
        PG_BIN_DIR=[programs] cargo xtask db-setup --server local
      To delete these data, and all other servers of this workspace:
        cargo xtask db-stop --purge
"#]]
    );
    let data = old.join("data");
    assert!(data.join("PG_VERSION").exists() && !place.cluster().exists());

    // Whoever names the binaries has a new database, and is told of the other.
    let (path, data_dir, binaries) = (path_variable(), place.data_dir(), binaries());
    let named = Request { bin_dir: Some(&binaries.directory), path: path.as_deref(), ..request(&data_dir) };
    let mut said = Vec::new();
    let server = pg_server::find(&named, &mut |line| said.push(line.to_owned())).unwrap();
    assert_eq!(server.local.unwrap().version, binaries.version.to_string());
    assert_data_eq!(
        place.masked(&said[0]),
        str![[r#"
the data of this workspace are in [place]/data-dir/clusters/14/data (PostgreSQL 14), but no PostgreSQL 14 is installed (it was in /opt/gone/bin). PostgreSQL [version] cannot read these data. These data stay where they are. A new, empty database is made.
    To continue with these data (permanently: put PG_BIN_DIR=/opt/gone/bin into .env): install PostgreSQL 14 beside [version], then
      PG_BIN_DIR=/opt/gone/bin cargo xtask db-setup --server local
    To start with an empty database, and keep these data:
      PG_BIN_DIR=[programs] cargo xtask db-setup --server local
    To copy these data to the new database: install PostgreSQL 14 beside [version], then
      PG_BIN_DIR=/opt/gone/bin cargo xtask db-setup --server local
      (eval "$(PG_BIN_DIR=/opt/gone/bin cargo xtask db-env --server local)"; [programs]/pg_dump --no-owner --no-privileges --schema=app) >data.sql
      PG_BIN_DIR=[programs] cargo xtask db-setup --server local
      (echo 'DROP SCHEMA app CASCADE;'; cat data.sql) | PG_BIN_DIR=[programs] cargo xtask db-psql --server local
      PG_BIN_DIR=[programs] cargo xtask db-setup --server local
    To delete these data, and all other servers of this workspace:
      cargo xtask db-stop --purge
"#]]
    );
    assert!(data.join("PG_VERSION").exists());
}
