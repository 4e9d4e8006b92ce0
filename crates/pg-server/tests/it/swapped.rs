//! As root: the server's unprivileged user replaces files that root reads, copies and writes, and forges the pid file.

use std::{
    collections::BTreeSet,
    fs::{self, File, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown, symlink},
        net::UnixListener,
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use pg_server::{ClusterState, Error, Mode, Request};
use snapbox::{assert_data_eq, str};

use crate::support::{Place, binaries, is_root, path_variable, pid, request, runs};

/// A process that ends with the test.
struct Process(Child);

impl Process {
    /// Writes to a pipe for the one who opens it: without a reader it waits, and with one the text has an end.
    fn writing(pipe: &Path, text: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "printf '%s' \"$1\" >\"$0\""]).arg(pipe).arg(text);
        Self(shell.stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A stopped cluster, its data directory, and a file that only root may read.
fn stopped() -> (Place, PathBuf, PathBuf) {
    let place = Place::with_template();
    let data = place.start().local.unwrap().data;
    place.stop();
    let secret = place.root.join("secret");
    fs::write(&secret, "root's own").unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    (place, data, secret)
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// What may stand in a file's place: a name, and what makes it from the file's path and root's file.
type Replacement = (&'static str, fn(&Path, &Path));

fn replacements() -> [Replacement; 6] {
    [
        ("a link to root's file", |path, secret| symlink(secret, path).unwrap()),
        ("a link to nowhere", |path, _| symlink("/nowhere/at/all", path).unwrap()),
        ("root's file by another name", |path, secret| fs::hard_link(secret, path).unwrap()),
        ("a pipe", |path, _| pipe(path)),
        ("a socket", |path, secret| {
            // Its path must be short.
            let socket = secret.with_extension("socket");
            drop(UnixListener::bind(&socket).unwrap());
            fs::rename(socket, path).unwrap();
        }),
        ("a device", |path, _| {
            assert!(Command::new("mknod").arg(path).args(["c", "1", "5"]).status().unwrap().success());
        }),
    ]
}

#[test]
fn only_a_regular_file_of_the_servers_user_is_read_in_its_data_directory() {
    if !is_root() {
        return;
    }
    let (place, data, secret) = stopped();
    let mut said = BTreeSet::new();
    for name in ["postmaster.pid", "PG_VERSION", "global/pg_control"] {
        let path = data.join(name);
        let kept = fs::read(&path).ok();
        for (what, replace) in replacements() {
            let _ = fs::remove_file(&path);
            replace(&path, &secret);
            // Whoever opens it as if it were a file reads this, and is not kept waiting.
            let _writer = (what == "a pipe").then(|| Process::writing(&path, "1\n"));
            let state = pg_server::clusters(&place.data_dir()).unwrap().remove(0).state;
            let ClusterState::Broken { reason } = state else { panic!("{what} as {name}: {state:?}") };
            said.insert(place.masked(reason));
            said.insert(place.masked(place.find(Mode::Start).unwrap_err()));
        }
        fs::remove_file(&path).unwrap();
        if let Some(kept) = kept {
            fs::write(&path, kept).unwrap();
            chown(&path, Some(data.metadata().unwrap().uid()), None).unwrap();
        }
    }
    assert_data_eq!(
        lines(said),
        str![[r#"
cannot read [place]/data-dir/clusters/[version]/data/PG_VERSION: it is not a regular file of the user [owner], whose directory it is in
cannot read [place]/data-dir/clusters/[version]/data/global/pg_control: it is not a regular file of the user [owner], whose directory it is in
cannot read postmaster.pid in [place]/data-dir/clusters/[version]/data: it is not a regular file of the user [owner], whose directory it is in
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  container: the data of this workspace are in [place]/data-dir/clusters/[version]/data
    help: make a new database in a container: cargo xtask db-setup --server container
  local: cannot read [place]/data-dir/clusters/[version]/data/PG_VERSION
    cause: it is not a regular file of the user [owner], whose directory it is in
    help: delete it, if it is not yours
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  container: the data of this workspace are in [place]/data-dir/clusters/[version]/data
    help: make a new database in a container: cargo xtask db-setup --server container
  local: cannot read [place]/data-dir/clusters/[version]/data/global/pg_control
    cause: it is not a regular file of the user [owner], whose directory it is in
    help: delete it, if it is not yours
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  local: cannot read postmaster.pid in [place]/data-dir/clusters/[version]/data
    cause: it is not a regular file of the user [owner], whose directory it is in
    help: delete it, if it is not yours

"#]]
    );
    assert_eq!(fs::read_to_string(secret).unwrap(), "root's own");
    assert!(place.start().started_now);
}

fn lines(said: BTreeSet<String>) -> String {
    said.into_iter().map(|line| line + "\n").collect()
}

#[test]
fn a_file_in_the_data_directory_is_read_up_to_a_bound() {
    let place = Place::with_template();
    let data = place.start().local.unwrap().data;
    place.stop();
    for (name, bound) in [("postmaster.pid", 16384), ("PG_VERSION", 8192), ("global/pg_control", 8192)] {
        let path = data.join(name);
        let before = fs::read(&path).ok();
        let owner = data.metadata().unwrap();
        File::options().write(true).create(true).truncate(false).open(&path).unwrap().set_len(1 << 26).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
        let state = pg_server::clusters(&place.data_dir()).unwrap().remove(0).state;
        let ClusterState::Broken { reason } = state else { panic!("{name}: {state:?}") };
        assert_eq!(reason.matches(&bound.to_string()).count(), 1, "{name}: {reason}");
        match before {
            Some(before) => fs::write(&path, before).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    }
    assert!(place.start().started_now);
}

#[test]
fn a_template_is_copied_without_what_is_not_the_servers_users() {
    if !is_root() {
        return;
    }
    let mut said = BTreeSet::new();
    for (what, replace) in replacements() {
        let place = Place::with_template();
        let secret = place.root.join("secret");
        fs::write(&secret, "root's own").unwrap();
        let file = only(&place.data_dir().join("templates")).join("data/base/1/PG_VERSION");
        fs::remove_file(&file).unwrap();
        replace(&file, &secret);
        let _writer = (what == "a pipe").then(|| Process::writing(&file, "15\n"));
        said.insert(place.masked(place.find(Mode::Start).unwrap_err()));
        assert!(!place.cluster().exists(), "{what}");
    }
    assert_data_eq!(
        lines(said),
        str![[r#"
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  container: DOCKER_HOST is unix:///nowhere/docker.sock, and there is no such socket
    help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
  local: cannot copy a template to [place]/data-dir/clusters/[version]
    cause: base/1/PG_VERSION: it is not a regular file of the user [owner], whose directory it is in
    help: delete it, if it is not yours

"#]]
    );
}

#[test]
fn a_directory_of_a_template_is_not_a_link_to_another() {
    if !is_root() {
        return;
    }
    let mut said = BTreeSet::new();
    for name in ["base/1", "global", "base"] {
        let place = Place::with_template();
        let data = only(&place.data_dir().join("templates")).join("data");
        let elsewhere = place.root.join("elsewhere");
        fs::rename(data.join(name), &elsewhere).unwrap();
        symlink(&elsewhere, data.join(name)).unwrap();
        said.insert(place.masked(place.find(Mode::Start).unwrap_err()));
        assert!(!place.cluster().exists());
    }
    assert_data_eq!(
        lines(said),
        str![[r#"
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  container: DOCKER_HOST is unix:///nowhere/docker.sock, and there is no such socket
    help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
  local: cannot copy a template to [place]/data-dir/clusters/[version]
    cause: base/1: it is not a regular file of the user [owner], whose directory it is in
    help: delete it, if it is not yours
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  container: DOCKER_HOST is unix:///nowhere/docker.sock, and there is no such socket
    help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
  local: cannot copy a template to [place]/data-dir/clusters/[version]
    cause: base: it is not a regular file of the user [owner], whose directory it is in
    help: delete it, if it is not yours
no PostgreSQL server found
  env: no server is named
    help: set DATABASE_URL, or DB_HOST, DB_PORT, PGHOST, PGSERVICE
  container: DOCKER_HOST is unix:///nowhere/docker.sock, and there is no such socket
    help: start that engine, or set DOCKER_HOST to an engine's address, or unset it
  local: cannot copy a template to [place]/data-dir/clusters/[version]
    cause: global: it is not a regular file of the user [owner], whose directory it is in
    help: delete it, if it is not yours

"#]]
    );
}

/// `initdb` runs as the server's user, and what that user starts may go on while root writes.
#[test]
fn root_writes_no_file_that_the_servers_user_has_put_in_the_place_of_pg_hba() {
    if !is_root() {
        return;
    }
    let real = binaries().directory;
    let mut said = BTreeSet::new();
    let tricks = ["ln -sf \"$root/secret\"", "rm \"$hba\"; mkfifo", "rm \"$hba\"; mkdir", "rm"];
    for trick in tricks {
        let place = Place::empty();
        let (bin, secret) = (place.root.join("bin"), place.root.join("secret"));
        fs::create_dir(&bin).unwrap();
        fs::write(&secret, "root's own").unwrap();
        symlink(real.join("postgres"), bin.join("postgres")).unwrap();
        let text = format!(
            "#!/bin/sh\n'{real}/initdb' \"$@\" || exit\n[ \"$1\" = --version ] && exit\nroot='{root}'\nfor word; do\n\
             [ \"$last\" = --pgdata ] && hba=$word/pg_hba.conf\nlast=$word\ndone\n{trick} \"$hba\"\n",
            real = real.display(),
            root = place.root.display(),
        );
        fs::write(bin.join("initdb"), text).unwrap();
        fs::set_permissions(bin.join("initdb"), Permissions::from_mode(0o755)).unwrap();
        let (data_dir, path) = (place.data_dir(), path_variable());
        let named = Request { bin_dir: Some(&bin), path: path.as_deref(), ..request(&data_dir) };
        let error = pg_server::find(&named, &mut |_| {}).unwrap_err().to_string();
        let (_, why) = error.rsplit_once("data/pg_hba.conf\n    cause: ").unwrap_or_else(|| panic!("{error}"));
        said.insert(why.lines().next().unwrap().split(" of the user ").next().unwrap().to_owned());
        assert_eq!(fs::read_to_string(&secret).unwrap(), "root's own", "{trick}");
    }
    assert_data_eq!(
        lines(said),
        str![[r#"
No such file or directory (os error 2)
it is not a regular file

"#]]
    );
}

#[test]
fn a_data_directory_that_the_servers_user_could_replace_is_refused() {
    if !is_root() {
        return;
    }
    let place = Place::with_template();
    let owner = only(&place.data_dir().join("templates")).join("data").metadata().unwrap();
    let kept = place.data_dir();
    let refused = |path: &Path, what: &str| {
        for mode in [Mode::Start, Mode::Find] {
            let error = pg_server::find(&Request { mode, ..request(path) }, &mut |_| {}).unwrap_err();
            let error = error.error.unwrap_or_else(|| panic!("{what}"));
            assert!(matches!(*error, Error::Replaceable { .. }), "{what}: {error}");
        }
        assert!(matches!(pg_server::clusters(path).unwrap_err(), Error::Replaceable { .. }), "{what}");
    };
    let mode = |mode| fs::set_permissions(&place.root, Permissions::from_mode(mode)).unwrap();

    chown(&place.root, Some(owner.uid()), None).unwrap();
    refused(&kept, "the directory above is the server's user's");
    chown(&place.root, Some(0), Some(owner.gid())).unwrap();
    mode(0o775);
    refused(&kept, "its group may write there");
    chown(&place.root, Some(0), Some(0)).unwrap();
    mode(0o757);
    refused(&kept, "everybody may write there");
    mode(0o755);
    fs::set_permissions(&kept, Permissions::from_mode(0o777)).unwrap();
    refused(&kept, "everybody may write in it");
    fs::set_permissions(&kept, Permissions::from_mode(0o711)).unwrap();
    // As /tmp is: others make files there, and leave ours alone.
    mode(0o1777);
    assert!(place.start().started_now);

    // Nothing is made in such a place.
    let new = place.root.join("new");
    fs::create_dir(&new).unwrap();
    chown(&new, Some(owner.uid()), None).unwrap();
    let error = pg_server::find(&request(&new.join("data-dir")), &mut |_| {}).unwrap_err();
    assert!(matches!(error.error.as_deref(), Some(Error::Replaceable { .. })), "{error}");
    assert_eq!(fs::read_dir(&new).unwrap().count(), 0);
}

fn only(directory: &Path) -> PathBuf {
    let mut entries = fs::read_dir(directory).unwrap();
    let found = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    found
}

/// A pid file is the server's user's to write, and may name anything.
#[test]
fn a_forged_pid_file_ends_no_process_but_the_server() {
    let place = Place::with_template();
    let data = place.start().local.unwrap().data;
    let written = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    let (server, rest) = written.split_once('\n').unwrap();
    place.stop();
    let owner = data.metadata().unwrap();
    // Programs that call themselves postgres and work in the data directory, as its server does.
    let called = |program: &Path| {
        let mut command = Command::new(program);
        command.arg0("postgres").arg("-D").arg(&data).current_dir(&data).stdin(Stdio::piped());
        command
    };
    let script = place.root.join("sleeper");
    fs::write(&script, "#!/bin/sh\nread forever\n").unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let mut victims = vec![("the server's user's", called(&script))];
    if is_root() {
        let postgres = place.root.join("postgres");
        fs::copy(&script, &postgres).unwrap();
        victims[0].1.uid(owner.uid());
        victims.push(("root's", called(&script)));
        victims.push(("root's, of that name", called(&postgres)));
    }
    for (whose, mut command) in victims {
        let victim = Process(command.spawn().unwrap());
        let forged = format!("{}\n{rest}", victim.0.id());
        fs::write(data.join("postmaster.pid"), forged).unwrap();
        chown(data.join("postmaster.pid"), Some(owner.uid()), None).unwrap();
        assert_eq!(pg_server::clusters(&place.data_dir()).unwrap().remove(0).state, ClusterState::Stopped, "{whose}");
        assert_eq!(place.stop(), [0; 0], "{whose}");
        assert!(runs(victim.0.id()), "{whose}");
    }
    fs::remove_file(data.join("postmaster.pid")).unwrap();
    let again = place.start();
    assert_ne!(pid(&again).to_string(), server);
    assert_eq!(place.stop(), [pid(&again)]);
}
