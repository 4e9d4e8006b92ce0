//! `DB_DATA_DIR` with something wrong: what it is, and what to do. What runs can be stopped whatever is wrong.

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use tests::{Run, Workspace, shows, skipped};

fn workspace() -> (Workspace, PathBuf) {
    let workspace = Workspace::new().with("DB_SERVER", "local");
    let servers = workspace.root().join("servers");
    (workspace, servers)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What a setup says of the directory; nothing is made in it.
fn refused(prepare: impl FnOnce(&Path)) -> String {
    let (workspace, servers) = workspace();
    prepare(&servers);
    workspace.run(&["db-setup"]).exits(4).screen()
}

#[test]
fn a_directory_that_cannot_serve_is_named_with_its_next_step() {
    let mut screens = refused(|servers| fs::write(servers, "").unwrap());
    screens += &refused(|servers| symlink("nowhere", servers).unwrap());
    screens += &refused(|servers| {
        fs::create_dir(servers).unwrap();
        set_mode(servers, 0o775);
    });
    screens += &refused(|servers| {
        fs::create_dir(servers).unwrap();
        fs::create_dir(servers.join("lock")).unwrap();
    });
    screens += &refused(|servers| {
        fs::create_dir(servers).unwrap();
        fs::write(servers.join("made-by-pg-server"), "").unwrap();
        fs::write(servers.join("clusters"), "").unwrap();
    });
    screens += &refused(|servers| {
        fs::create_dir_all(servers.join("clusters")).unwrap();
        fs::write(servers.join("lock"), "").unwrap();
    });
    let (workspace, servers) = workspace();
    let name = OsStr::from_bytes(b"\xff");
    let output = workspace.command(&["db-setup"]).env("DB_DATA_DIR", servers.join(name)).output().unwrap();
    screens += &Run::of("cargo xtask db-setup".to_owned(), output).screen();
    shows("cannot-serve", &screens);
}

/// A disk of a test's own, where it may mount one; gone with the value.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: &Path, options: &str) -> Option<Self> {
        fs::create_dir(path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(path).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(path.to_owned())),
            _ => {
                skipped("this user may not mount a disk");
                None
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_is_full_or_read_only_is_named_with_its_next_step() {
    for (options, next) in [
        (
            "size=64k,mode=711",
            "help: free space on that disk\n help: or set DB_DATA_DIR to a directory on another disk",
        ),
        ("size=4m,mode=711", "help: free space on that disk\n help: or set DB_DATA_DIR to a directory on another disk"),
        ("ro,mode=711", "set DB_DATA_DIR to a directory that can be written"),
    ] {
        let (workspace, servers) = workspace();
        let Some(_disk) = Disk::mount(&servers, options) else { return };
        workspace.run(&["db-setup"]).exits(4).complains(next);
    }
}

#[test]
fn state_that_was_damaged_is_named_or_made_again() {
    let (workspace, servers) = workspace();
    workspace.run(&["db-setup"]).exits(0);
    let password = servers.join("passwords/aura_user");
    fs::write(&password, b"\xff\xfe").unwrap();
    let mut screens = workspace.run(&["db-setup"]).exits(1).screen();
    fs::remove_dir_all(servers.join("passwords")).unwrap();
    workspace.run(&["db-setup"]).exits(0);
    set_mode(&password, 0o644);
    screens += &workspace.run(&["db-setup"]).exits(1).screen();
    set_mode(&password, 0o600);
    fs::write(servers.join("current"), b"\xff").unwrap();
    workspace.run(&["db-setup"]).exits(0);
    shows("damaged-state", &screens);
}

/// The directory of the only cluster.
fn cluster(servers: &Path) -> PathBuf {
    fs::read_dir(servers.join("clusters")).unwrap().next().unwrap().unwrap().path()
}

const DATABASE: &str = "SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database()";

#[test]
fn a_lost_password_of_the_superuser_is_replaced() {
    let (workspace, servers) = workspace();
    workspace.run(&["db-setup"]).exits(0);
    let oid = workspace.value(DATABASE);
    fs::write(cluster(&servers).join("password"), b"\xff\xfe\n").unwrap();
    let mut screens = String::new();
    for (command, code) in [("db-verify", 4), ("db-setup", 0), ("db-verify", 0)] {
        screens += &workspace.run(&[command]).exits(code).screen();
    }
    assert_eq!(workspace.value(DATABASE), oid);
    shows("lost-password", &screens);
}

/// A directory of programs whose `postgres` waits, where it would change a password: before the change, or after it.
fn waiting_postgres(workspace: &Workspace, binaries: &Path) -> (PathBuf, PathBuf) {
    let programs = workspace.root().join("programs");
    let moments = workspace.root().join("moments");
    for directory in [&programs, &moments] {
        fs::create_dir(directory).unwrap();
    }
    set_mode(&programs, 0o755);
    // The server's user writes there.
    set_mode(&moments, 0o777);
    symlink(binaries.join("initdb"), programs.join("initdb")).unwrap();
    let (real, directory) = (binaries.join("postgres"), moments.display());
    let script = format!(
        "#!/bin/sh\n\
         case $1 in --single) ;; *) exec {real} \"$@\" ;; esac\n\
         [ ! -e {directory}/after ] || {real} \"$@\"\n\
         : >{directory}/reached\n\
         while [ -e {directory}/wait ]; do sleep 0.02; done\n",
        real = real.display()
    );
    fs::write(programs.join("postgres"), script).unwrap();
    set_mode(&programs.join("postgres"), 0o755);
    (programs, moments)
}

#[test]
fn a_setup_that_was_killed_while_it_replaced_the_password_is_run_again() {
    let (workspace, servers) = workspace();
    workspace.run(&["db-setup"]).exits(0);
    let recorded = fs::read_to_string(cluster(&servers).join("binaries")).unwrap();
    let (programs, moments) = waiting_postgres(&workspace, Path::new(recorded.lines().next().unwrap()));
    for moment in ["before", "after"] {
        let oid = workspace.value(DATABASE);
        fs::remove_file(cluster(&servers).join("password")).unwrap();
        for name in [moment, "wait"] {
            fs::write(moments.join(name), "").unwrap();
        }
        let mut setup = workspace.command(&["db-setup"]);
        let mut setup = setup.env("PG_BIN_DIR", &programs).stderr(Stdio::null()).spawn().unwrap();
        while !moments.join("reached").exists() {
            assert_eq!(setup.try_wait().unwrap(), None, "{moment}");
            sleep(Duration::from_millis(10));
        }
        setup.kill().unwrap();
        setup.wait().unwrap();
        fs::remove_file(moments.join("reached")).unwrap();
        fs::remove_file(moments.join("wait")).unwrap();
        workspace.run(&["db-setup"]).exits(0);
        assert_eq!(workspace.value(DATABASE), oid, "{moment}");
    }
}

/// Makes a fault, or undoes it.
type Change<'a> = &'a dyn Fn();

#[test]
fn a_running_server_is_stopped_whatever_is_wrong_with_its_directory() {
    let (workspace, servers) = workspace();
    let mut screens = String::new();
    let replace_by_directory = |name: &str| {
        fs::remove_file(servers.join(name)).unwrap();
        fs::create_dir(servers.join(name)).unwrap();
    };
    let kept = |name: &str| fs::read(servers.join(name)).unwrap_or_default();
    let faults: [(&str, Change<'_>, Change<'_>); 5] = [
        ("open to others", &|| set_mode(&servers, 0o775), &|| set_mode(&servers, 0o711)),
        ("lock", &|| replace_by_directory("lock"), &|| fs::remove_dir(servers.join("lock")).unwrap()),
        ("marker", &|| fs::remove_file(servers.join("made-by-pg-server")).unwrap(), &|| {
            fs::write(servers.join("made-by-pg-server"), "").unwrap();
        }),
        ("current", &|| replace_by_directory("current"), &|| fs::remove_dir(servers.join("current")).unwrap()),
        ("id", &|| fs::write(servers.join("id"), b"\xff").unwrap(), &|| fs::remove_file(servers.join("id")).unwrap()),
    ];
    for (fault, make, undo) in faults {
        workspace.run(&["db-setup"]).exits(0);
        let pid_file = cluster(&servers).join("data/postmaster.pid");
        assert!(pid_file.exists(), "{fault}: {:?}", kept("current"));
        make();
        let stopped = workspace.run(&["db-stop"]).exits(0);
        assert!(!pid_file.exists(), "{fault}");
        screens += &stopped.screen();
        undo();
    }
    // What cannot be deleted is named, once the server has ended.
    workspace.run(&["db-setup"]).exits(0);
    let password = cluster(&servers).join("password");
    fs::write(&password, b"\xff").unwrap();
    fs::remove_file(servers.join("made-by-pg-server")).unwrap();
    let pid_file = cluster(&servers).join("data/postmaster.pid");
    screens += &workspace.run(&["db-stop", "--purge", "--yes"]).exits(1).screen();
    assert!(!pid_file.exists() && password.exists());
    fs::write(servers.join("made-by-pg-server"), "").unwrap();
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    assert!(!servers.exists());
    shows("stopped", &screens);
}
