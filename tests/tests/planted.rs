//! In `/var/tmp`, `/tmp` and `/dev/shm` anybody may make what the tests and the check would use.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::Command,
};

/// What another user may have left at a path, and the words that refuse it.
type Plant = (&'static str, fn(&Path));

const PLANTS: [Plant; 6] = [
    ("symbolic link", |path| {
        let other = path.with_extension("other");
        fs::create_dir(&other).unwrap();
        symlink(other, path).unwrap();
    }),
    ("symbolic link", |path| symlink("/nowhere/at/all", path).unwrap()),
    ("regular", |path| fs::write(path, "").unwrap()),
    ("mode 775", |path| of_mode(path, 0o775)),
    ("mode 1777", |path| of_mode(path, 0o1777)),
    // Only root can give a file away.
    ("user 12345", |path| {
        fs::create_dir(path).unwrap();
        if chown(path, Some(12345), None).is_err() {
            of_mode(&path.join("in"), 0o700);
        }
    }),
];

fn of_mode(path: &Path, mode: u32) {
    fs::create_dir(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// An empty directory of the test's own.
fn place(name: &str) -> PathBuf {
    let place = tests::kept("planted").join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    place
}

#[test]
fn a_directory_of_the_tests_is_refused_where_others_may_write_it() {
    let place = place("tests");
    let own = place.join("own");
    of_mode(&own, 0o711);
    tests::check_own(&own).unwrap();
    for (number, (words, plant)) in PLANTS.iter().enumerate().filter(|(number, _)| *number != 5 || is_root()) {
        let path = place.join(number.to_string());
        plant(&path);
        let error = tests::check_own(&path).unwrap_err();
        assert!(error.contains(words) && error.contains(path.to_str().unwrap()), "{words}: {error}");
        assert!(error.contains("delete it"), "{error}");
    }
}

#[test]
fn programs_that_others_may_have_put_there_are_not_taken_for_fetched_ones() {
    let place = place("fetched");
    // `apt-get` fails: nothing is fetched by this test.
    let bin = place.join("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("apt-get"), "#!/bin/sh\necho fetching\nexit 1\n").unwrap();
    fs::set_permissions(bin.join("apt-get"), Permissions::from_mode(0o755)).unwrap();
    let fetch = |directory: &Path| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/postgresql");
        let output =
            Command::new(script).env("PATH", tests::path_with(&bin)).arg("forky").arg(directory).output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.success(), text)
    };
    let own = place.join("own");
    of_mode(&own, 0o755);
    of_mode(&own.join("18"), 0o755);
    assert_eq!(fetch(&own.join("18")), (true, String::new()));
    let (fetched, text) = fetch(&own.join("17"));
    assert!(!fetched && text.contains("fetching"), "{text}");
    for (number, (words, plant)) in PLANTS.iter().enumerate().filter(|(number, _)| *number != 5 || is_root()) {
        let path = own.join(format!("of-{number}"));
        plant(&path);
        // As the directory of a version, and as the one around it.
        for directory in [path.clone(), path.join("18")] {
            let (taken, text) = fetch(&directory);
            assert!(!taken && text.contains(words) && text.contains("delete it"), "{words}: {text}");
            assert!(!text.contains("fetching"), "{text}");
        }
    }
}

#[test]
fn the_projects_scripts_write_no_file_of_a_known_name_in_tmp() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let scripts = fs::read_dir(root.join(".ci")).unwrap().map(|entry| entry.unwrap().path());
    let mut looked_at = 0;
    for path in scripts.chain([root.join(".github/workflows/ci.yml")]) {
        let text = fs::read_to_string(&path).unwrap().replace("/var/tmp/aura-tests-postgresql", "");
        assert!(!text.contains("/tmp/") && !text.contains("/dev/shm/"), "{}", path.display());
        looked_at += 1;
    }
    assert!(looked_at >= 5);
}
