//! `--report FILE` and `ci --junit FILE`, where another user may have put something in the file's place.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink},
    path::Path,
};

use tests::Workspace;

/// The commands, with a file for the report; none needs a server to report its own error.
fn commands(file: &str) -> [[String; 3]; 4] {
    [
        ["db-verify", "--report", "junit="],
        ["db-setup", "--report", "json="],
        ["db-migrate", "--report", "markdown="],
        ["ci", "--junit", ""],
    ]
    .map(|[command, flag, kind]| [command.to_owned(), flag.to_owned(), format!("{kind}{file}")])
}

#[track_caller]
fn refuses(workspace: &Workspace, file: &str, words: &str) {
    for command in commands(file) {
        let run = workspace.run(&command.each_ref().map(String::as_str)).exits(1);
        let told = [words, "cannot write the report", "nothing was done", "help: "];
        assert!(told.iter().all(|words| run.stderr.contains(words)), "{command:?}, {words}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn workspace() -> Workspace {
    // Its error is known at once.
    let workspace = Workspace::new().with("DB_SCHEMA", &"x".repeat(64));
    workspace.write("victim", "mine");
    workspace
}

#[test]
fn no_link_is_followed_to_another_file() {
    let workspace = workspace();
    let root = workspace.root();
    symlink("victim", root.join("link")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    fs::hard_link(root.join("victim"), root.join("second-name")).unwrap();
    refuses(&workspace, "link", "is a symbolic link");
    refuses(&workspace, "dangling", "is a symbolic link");
    refuses(&workspace, "second-name", "has another name");
    assert!(!root.join("nowhere").exists() && root.join("link").is_symlink());
    assert_eq!(fs::read_to_string(root.join("victim")).unwrap(), "mine");
    if !is_root() {
        return;
    }
    // Another user's file would be theirs to read and to change.
    workspace.write("theirs", "");
    chown(root.join("theirs"), Some(12345), None).unwrap();
    refuses(&workspace, "theirs", "belongs to the user 12345");
    // On the way to the file.
    fs::create_dir(root.join("place")).unwrap();
    fs::set_permissions(root.join("place"), Permissions::from_mode(0o755)).unwrap();
    symlink("place", root.join("way")).unwrap();
    lchown(root.join("way"), Some(12345), None).unwrap();
    refuses(&workspace, "way/report", "another user's link");
    assert_eq!(fs::read_dir(root.join("place")).unwrap().count(), 0);
    // One of our own on the way is.
    lchown(root.join("way"), Some(0), None).unwrap();
    workspace.run(&["db-verify", "--report", "junit=way/report"]);
    assert!(fs::read_to_string(root.join("place/report")).unwrap().contains("<testsuite"));
}

#[test]
fn a_directory_that_other_users_can_write_is_refused() {
    let workspace = workspace();
    let place = workspace.root().join("place");
    fs::create_dir(&place).unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    for wrong in [0o777, 0o1777, 0o757] {
        mode(&place, wrong);
        refuses(&workspace, "place/report", "other users can write");
    }
    refuses(&workspace, "/tmp/aura-tests-report", "other users can write in /tmp");
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
    // One of our own in it will do.
    let within = place.join("within");
    fs::create_dir(&within).unwrap();
    mode(&within, 0o755);
    mode(&place, 0o777);
    workspace.run(&["db-verify", "--report", "junit=place/within/report"]);
    assert!(fs::read_to_string(within.join("report")).unwrap().contains("<testsuite"));
    if !is_root() {
        return;
    }
    // A group with others in it; with umask 002 each user's own group may write.
    mode(&within, 0o775);
    workspace.run(&["db-verify", "--report", "junit=place/within/report"]);
    assert!(fs::read_to_string(within.join("report")).unwrap().contains("<testsuite"));
    chown(&within, None, Some(12345)).unwrap();
    refuses(&workspace, "place/within/report", "other users can write");
}
