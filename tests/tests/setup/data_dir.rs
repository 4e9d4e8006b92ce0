//! `DB_DATA_DIR` with something wrong: what it is, and what to do. What runs can be stopped whatever is wrong.

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{PermissionsExt as _, symlink},
    },
    path::{Path, PathBuf},
    process::Command,
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
        ("size=64k,mode=711", "free space on that disk, or set DB_DATA_DIR to a directory on another"),
        ("size=4m,mode=711", "free space on that disk, or set DB_DATA_DIR to a directory on another"),
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

/// Makes a fault, or undoes it.
type Change<'a> = &'a dyn Fn();

#[test]
fn a_running_server_is_stopped_whatever_is_wrong_with_its_directory() {
    let (workspace, servers) = workspace();
    let mut screens = String::new();
    let cluster = || fs::read_dir(servers.join("clusters")).unwrap().next().unwrap().unwrap().path();
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
        let pid_file = cluster().join("data/postmaster.pid");
        assert!(pid_file.exists(), "{fault}: {:?}", kept("current"));
        make();
        let stopped = workspace.run(&["db-stop"]).exits(0);
        assert!(!pid_file.exists(), "{fault}");
        screens += &stopped.screen();
        undo();
    }
    // What cannot be deleted is named, once the server has ended.
    workspace.run(&["db-setup"]).exits(0);
    let password = cluster().join("password");
    fs::write(&password, b"\xff").unwrap();
    fs::remove_file(servers.join("made-by-pg-server")).unwrap();
    let pid_file = cluster().join("data/postmaster.pid");
    screens += &workspace.run(&["db-stop", "--purge", "--yes"]).exits(1).screen();
    assert!(!pid_file.exists() && password.exists());
    fs::write(servers.join("made-by-pg-server"), "").unwrap();
    workspace.run(&["db-stop", "--purge", "--yes"]).exits(0);
    assert!(!servers.exists());
    shows("stopped", &screens);
}
