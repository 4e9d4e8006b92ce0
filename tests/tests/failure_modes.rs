//! `failure-modes.md`: each number has its promise and its tests. The column of tests is made from the sources;
//! `SNAPSHOTS=overwrite cargo test -p tests --test failure_modes` writes it again.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path, PathBuf},
};

use snapbox::{Assert, Data, assert::DEFAULT_ACTION_ENV, data::DataFormat};

/// The number of a failure mode: F9, M12.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Number(char, u32);

impl Number {
    /// F9 or f09: a letter and digits, and nothing else.
    fn parse(text: &str) -> Option<Self> {
        let (letter, digits) = text.split_at_checked(1)?;
        let letter = letter.chars().next()?.to_ascii_uppercase();
        let is_number = ['F', 'M'].contains(&letter) && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok())?.map(|number| Self(letter, number))
    }

    /// As it stands in a test's name: `f09_`.
    fn in_name(self) -> String {
        format!("{}{:02}_", self.0.to_ascii_lowercase(), self.1)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, self.1)
    }
}

/// A test of failure modes.
struct Test {
    /// Its target, its modules and its function: `setup::reset::f32_…`.
    name: String,
    numbers: Vec<Number>,
}

#[test]
fn the_list_and_the_tests_agree() {
    let file = root().join("failure-modes.md");
    let (text, tests) = (fs::read_to_string(&file).unwrap(), tests());
    let (mut numbers, mut wrong, mut expected) = (Vec::new(), Vec::new(), String::new());
    for line in text.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let Some(number) = cells.get(1).and_then(|cell| Number::parse(cell)) else {
            expected += &format!("{line}\n");
            continue;
        };
        numbers.push(number);
        let (promise, what) = (cells[2], cells[3]);
        let own: Vec<_> = tests.iter().filter(|test| test.numbers.contains(&number)).collect();
        match (promise.starts_with("later: "), own.is_empty()) {
            (false, true) => wrong.push(format!("{number} has no test: {what}")),
            (true, false) => wrong.push(format!("{number} has a test, and its promise still says later")),
            _ => {}
        }
        let known = ["impossible", "repaired", "found"];
        if !promise.trim_start_matches("later: ").split(", ").all(|promise| known.contains(&promise)) {
            wrong.push(format!("{number} promises {promise:?}"));
        }
        let own: Vec<_> = own.iter().map(|test| format!("`{}`", test.name)).collect();
        expected += &format!("| {number} | {promise} | {what} | {} |\n", own.join(" "));
    }
    let all: Vec<_> = (1..=36).map(|n| Number('F', n)).chain((1..=14).map(|n| Number('M', n))).collect();
    assert_eq!(numbers, all);
    for test in &tests {
        let function = test.name.rsplit("::").next().unwrap();
        let spelled: String = test.numbers.iter().map(|number| number.in_name()).collect();
        if !function.starts_with(&spelled) || !test.numbers.iter().all(|number| numbers.contains(number)) {
            wrong.push(format!("{} is not called f01_… to f36_… or m01_… to m14_…", test.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let file = Data::read_from(&file, Some(DataFormat::Text));
    Assert::new().action_env(DEFAULT_ACTION_ENV).eq(Data::text(expected).raw(), file.raw());
}

/// The tests of this package whose names begin with a number.
fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for file in files(&root().join("tests")) {
        let text = fs::read_to_string(&file).unwrap();
        // In a list of cases, too: `fn f26_two_copies() = Case {`.
        let names = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn ")?.split('(').next());
        let names: BTreeSet<_> = names.collect();
        tests.extend(names.into_iter().filter_map(|function| {
            let numbers: Vec<_> = function.split('_').map_while(Number::parse).collect();
            let name = format!("{}::{function}", module(&file));
            (!numbers.is_empty()).then_some(Test { name, numbers })
        }));
    }
    tests
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files = paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// `setup::reset` for `setup/reset.rs`, `setup` for `setup/main.rs`.
fn module(file: &Path) -> String {
    let path = file.strip_prefix(root().join("tests")).unwrap().with_extension("");
    let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).filter(|part| *part != "main").collect();
    parts.join("::")
}
