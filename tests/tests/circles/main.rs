//! No files of a package form a circle: each can be read with what it names, and none of that leads back to it.
//!
//! File A leads to file B where A names an item that B defines, by whatever re-export. Tests do not count, and neither
//! does what a module takes from those around it and below it.

#![expect(clippy::unwrap_used, reason = "a test has nobody to tell but its reader")]

mod package;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use self::package::{Package, Uses};

#[test]
fn no_files_of_a_package_form_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = String::new();
    for package in packages(&root) {
        let circles = circles(&Package::read(&root.join(&package)).uses());
        if !circles.is_empty() {
            found += &format!("{package}:\n{}", circles.concat());
        }
    }
    assert!(found.is_empty(), "{found}");
}

/// The packages of the workspace, as paths from its root.
fn packages(root: &Path) -> Vec<String> {
    let below = |around: &str| {
        let entries = fs::read_dir(root.join(around)).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| format!("{around}{}", name.into_string().unwrap())).collect::<Vec<_>>()
    };
    let mut packages = [below(""), below("crates/")].concat();
    packages.retain(|package| root.join(package).join("Cargo.toml").is_file());
    packages.sort();
    assert!(packages.len() > 8, "{packages:?}");
    packages
}

/// Each circle in words: its files, and what ties them.
fn circles(uses: &Uses) -> Vec<String> {
    let next = |file: &str| uses.keys().filter(|(from, _)| from == file).map(|(_, to)| to.as_str()).collect::<Vec<_>>();
    let reached = |file| {
        let mut reached = BTreeSet::new();
        let mut ahead = next(file);
        while let Some(file) = ahead.pop() {
            if reached.insert(file) {
                ahead.extend(next(file));
            }
        }
        reached
    };
    let mut circles = BTreeSet::new();
    for (file, _) in uses.keys() {
        let around = reached(file);
        if around.contains(file.as_str()) {
            circles.insert(around.into_iter().filter(|other| reached(other).contains(file.as_str())).collect());
        }
    }
    let circles = circles.into_iter().map(|circle: Vec<&str>| {
        let ties =
            uses.iter().filter(|((from, to), _)| circle.contains(&from.as_str()) && circle.contains(&to.as_str()));
        let ties = ties.map(|((from, to), names)| {
            format!("  {from} -> {to}: {}\n", names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        });
        format!("a circle of {} files:\n{}", circle.len(), ties.collect::<String>())
    });
    circles.collect()
}

/// The circles of a package with these files.
fn planted(name: &str, files: &[(&str, &str)]) -> String {
    let package = tests::kept("circles").join(name);
    let _ = fs::remove_dir_all(&package);
    for (path, text) in files {
        let path: PathBuf = package.join("src").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    circles(&Package::read(&package).uses()).concat()
}

#[test]
fn a_planted_circle_is_found_with_what_ties_it() {
    let found = planted(
        "circle",
        &[
            ("lib.rs", "mod a; mod b; mod c; pub use b::Second;"),
            // By the root's re-export, in a macro, and by a module's name.
            ("a.rs", "pub struct First; pub fn make() { println!(\"{}\", crate::Second::new()) }"),
            ("b.rs", "use crate::c::*; pub struct Second; impl Second { fn new() -> Third { Third } }"),
            ("c.rs", "pub use std::fmt; use super::a; pub struct Third; pub fn third() { a::make() }"),
        ],
    );
    let expected = "a circle of 3 files:\n  src/a.rs -> src/b.rs: Second\n  src/b.rs -> src/c.rs: Third\n  \
                    src/c.rs -> src/a.rs: make\n";
    assert_eq!(found, expected);
}

#[test]
fn tests_and_the_modules_around_and_below_are_no_circle() {
    let found = planted(
        "none",
        &[
            ("lib.rs", "mod a; mod b; pub fn root() { a::first() }"),
            ("a.rs", "mod below; use crate::root; pub fn first() { below::second() } pub struct A(crate::b::B);"),
            ("a/below.rs", "pub fn second() { super::first() }"),
            (
                "b.rs",
                "pub struct B; #[cfg(test)] mod tests { use crate::a::A; } impl B { #[cfg(test)] const A: crate::a::A; }",
            ),
        ],
    );
    assert_eq!(found, "");
}
