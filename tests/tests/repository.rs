//! The repository's own promises: its documents say what the code does, and its walls stand.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use pg_config::KEYS;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn the_example_environment_has_every_key_and_no_other() {
    let text = read(".env.example");
    let mut found: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(key, _)| key)
        .filter(|key| !key.is_empty() && key.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    let mut known: Vec<_> = KEYS.iter().map(|key| key.name).collect();
    found.sort_unstable();
    known.sort_unstable();
    assert_eq!(found, known);
}

#[test]
fn the_readme_names_every_key_and_command() {
    let readme = read("README.md");
    for key in KEYS {
        assert!(readme.contains(&format!("`{}`", key.name)), "{}", key.name);
    }
    let grammar = read("crates/pg-xtask/src/cli.rs");
    let commands = grammar.split("enum Command {").nth(1).unwrap().split("\n}").next().unwrap();
    let variants = commands.lines().filter_map(|line| line.trim().split_once('(')).map(|(name, _)| name);
    for own in read("xtask/src/main.rs").split("name: \"").skip(1).map(|own| own.split('"').next().unwrap()) {
        assert!(readme.contains(&format!("cargo xtask {own}`")), "{own}");
    }
    for variant in variants.filter(|name| name.chars().all(char::is_alphanumeric)) {
        let kebab = variant.chars().enumerate().fold(String::new(), |name, (at, letter)| {
            let dash = if at > 0 && letter.is_uppercase() { "-" } else { "" };
            format!("{name}{dash}{}", letter.to_lowercase())
        });
        assert!(readme.contains(&format!("`{kebab}")), "{kebab}");
    }
}

/// Words that are hard to read: each has a plainer one, such as `fix` for `mend`.
const OUT: [&str; 10] =
    ["whoever", "whomever", "nobody", "somebody", "anew", "parted by", "mend", "mends", "mended", "could be had"];

/// What is printed and what stands in the README is in plain words.
#[test]
fn printed_texts_hold_no_word_that_is_out() {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let holds = |text: &str| {
        let text = text.to_lowercase();
        OUT.into_iter().find(|word| {
            text.match_indices(word).any(|(at, _)| {
                let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
                // A text of that word alone is a name: the user `nobody`.
                let is_name = before == Some('"') && after == Some('"');
                !is_letter(before) && !is_letter(after) && !is_name
            })
        })
    };
    let mut found = Vec::new();
    for (number, line) in read("README.md").lines().enumerate() {
        found.extend(holds(line).map(|word| format!("README.md:{}: {word}", number + 1)));
    }
    for package in [
        "crates/pg-xtask",
        "crates/pg-config",
        "crates/pg-connect",
        "crates/pg-schema",
        "crates/pg-server",
        "crates/pg-workflow",
        "crates/pg-testdb",
        "crates/pg-container",
    ] {
        for path in files(&root().join(package).join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            let printed = text.split("#[cfg(test)]").next().unwrap();
            let is_page = path.extension().is_some_and(|extension| extension == "md");
            for (number, line) in printed.lines().enumerate() {
                let is_help = path.ends_with("cli.rs") && line.trim().starts_with("///");
                let is_comment = line.trim().starts_with("//") && !is_help;
                let text = match line.split_once('"') {
                    _ if is_page || is_help => line,
                    Some((_, text)) if !is_comment => text,
                    _ => continue,
                };
                let place = path.strip_prefix(root()).unwrap().display().to_string();
                found.extend(holds(text).map(|word| format!("{place}:{}: {word}", number + 1)));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn all_files(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

/// Every source file and page of a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let is_read =
        |path: &PathBuf| path.extension().is_some_and(|e| e == "rs" || e == "md") && !path.ends_with("tests.rs");
    all_files(directory).into_iter().filter(is_read).collect()
}

/// What lists the checks has them all, in their order. `SNAPSHOTS=overwrite` writes the lists again.
#[test]
fn the_readme_and_the_schema_of_reports_list_the_checks() {
    let mut lines = vec![String::new()];
    for id in pg_schema::CHECKS {
        let line = lines.last_mut().unwrap();
        match line.len() + id.len() {
            0..=112 => *line = format!("{line} `{id}`").trim_start().to_owned(),
            _ => lines.push(format!("`{id}`")),
        }
    }
    holds("README.md", "## The checks\n\n", &lines.join("\n"), "\n\nEach passes");

    let (before, after) = ("\"id\": {\n          \"enum\": [\n", "\n          ]");
    let schema = read("crates/pg-xtask/report.schema.json");
    let listed = schema.split_once(before).unwrap().1.split_once(after).unwrap().0;
    let listed: Vec<_> = listed.lines().map(|line| line.trim().trim_matches(&['"', ','][..])).collect();
    let mut ids = pg_schema::CHECKS.to_vec();
    // The contract has more than are implemented yet.
    for (at, id) in listed.iter().enumerate().rev().filter(|(_, id)| !pg_schema::CHECKS.contains(id)) {
        let next = listed.get(at + 1).and_then(|next| ids.iter().position(|id| id == next));
        ids.insert(next.unwrap_or(ids.len()), id);
    }
    let ids: Vec<_> = ids.iter().map(|id| format!("            \"{id}\"")).collect();
    holds("crates/pg-xtask/report.schema.json", before, &ids.join(",\n"), after);
}

/// A file has this text between two others.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "the variable by which screens are written again")]
fn holds(path: &str, before: &str, expected: &str, after: &str) {
    let text = read(path);
    let (head, rest) = text.split_once(before).unwrap();
    let (found, tail) = rest.split_once(after).unwrap();
    if std::env::var_os("SNAPSHOTS").is_some_and(|action| action == "overwrite") {
        fs::write(root().join(path), format!("{head}{before}{expected}{after}{tail}")).unwrap();
    } else {
        assert_eq!(found, expected, "{path}: SNAPSHOTS=overwrite writes it again");
    }
}

/// Who may import whom, as the README's code map says.
#[test]
fn the_walls_between_the_packages_stand() {
    let allowed = [
        ("crates/pg-connect", &[][..]),
        ("crates/pg-config", &["pg-connect"]),
        ("crates/pg-server", &["pg-config"]),
        ("crates/pg-schema", &["pg-config"]),
        ("crates/pg-container", &[]),
        ("crates/pg-workflow", &["pg-config", "pg-server", "pg-schema"]),
        ("crates/aura", &["pg-connect"]),
        ("crates/pg-testdb", &["pg-config", "pg-server", "pg-schema", "pg-workflow"]),
        ("crates/pg-xtask", &["pg-config", "pg-server", "pg-schema", "pg-workflow", "pg-testdb"]),
        ("xtask", &["pg-xtask"]),
        ("bench", &["pg-config", "pg-server", "pg-schema", "pg-workflow"]),
    ];
    let packages = [
        "pg-connect",
        "pg-config",
        "pg-server",
        "pg-container",
        "pg-schema",
        "pg-workflow",
        "pg-testdb",
        "aura",
        "pg-xtask",
        "xtask",
        "bench",
        "tests",
    ];
    for (package, may) in allowed {
        let manifest = read(&format!("{package}/Cargo.toml"));
        for other in packages.iter().filter(|other| !may.contains(other)) {
            assert!(!manifest.contains(&format!("\n{other}.workspace")), "{package} imports {other}");
        }
    }
}

/// Whoever takes no container compiles nothing for one.
#[test]
fn nobody_links_testcontainers() {
    let lock = read("Cargo.lock");
    let users: Vec<_> = lock
        .split("[[package]]")
        .filter(|package| package.contains("\n \"testcontainers\""))
        .filter_map(|package| package.split("name = \"").nth(1)?.split('"').next())
        .collect();
    assert_eq!(users, ["pg-container"]);
    let defaults = read("Cargo.toml").split("default-members").nth(1).unwrap().split(']').next().unwrap().to_owned();
    assert!(defaults.contains("xtask"), "{defaults}");
    assert!(!defaults.contains("pg-container") && !defaults.contains("bench"), "{defaults}");
}

/// A tag is whatever its repository's owner makes of it, tomorrow another commit.
#[test]
fn actions_of_others_are_named_by_commit() {
    let mut used = 0;
    for path in ["README.md", ".github/workflows/ci.yml"] {
        for action in read(path).lines().filter_map(|line| line.split_once("uses:")).map(|(_, action)| action.trim()) {
            let (commit, tag) =
                action.split_once('@').unwrap().1.split_once(" # v").unwrap_or_else(|| panic!("{action}"));
            assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{action}");
            assert!(tag.starts_with(|digit: char| digit.is_ascii_digit()), "{action}");
            used += 1;
        }
    }
    assert!(used > 3);
}

#[test]
fn only_the_project_itself_names_aura() {
    let files = [
        "crates/pg-connect/src",
        "crates/pg-config/src",
        "crates/pg-server/src",
        "crates/pg-container/src",
        "crates/pg-schema/src",
        "crates/pg-workflow/src",
        "crates/pg-testdb/src",
        "crates/pg-xtask/src",
    ];
    let mut looked_at = 0;
    for path in files.iter().flat_map(|directory| sources(&root().join(directory))) {
        let text = fs::read_to_string(&path).unwrap();
        // The tests' examples and the module documentation may.
        let code = text.split("#[cfg(test)]").next().unwrap();
        looked_at += 1;
        let mut below = path.strip_prefix(root()).unwrap().components();
        let is_test = path.file_name().unwrap() == "tests.rs" || below.any(|part| part.as_os_str() == "tests");
        if is_test {
            continue;
        }
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            assert!(!line.contains("aura"), "{}: {line}", path.display());
        }
    }
    assert!(looked_at > 40);
}

fn sources(directory: &std::path::Path) -> Vec<PathBuf> {
    let is_source = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    all_files(directory).into_iter().filter(is_source).collect()
}
