//! The recipes as the README prints them.

use std::{fs, path::Path};

/// The section's block of lines for `.env`.
fn block() -> String {
    block_of("Another migration tool")
}

/// The shell's lines by which tests in Python run on a clone.
pub(crate) fn in_python() -> String {
    block_of("Tests in Python")
}

/// A section's first block of shell.
fn block_of(section: &str) -> String {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let section = readme.split_once(&format!("\n## {section}\n")).unwrap().1.split("\n## ").next().unwrap();
    section.split("\n```").nth(1).unwrap().strip_prefix("sh\n").unwrap().to_owned()
}

/// The lines under a tool's name.
pub(crate) fn lines(tool: &str) -> String {
    let block = block();
    let (_, lines) = block.split_once(&format!("# {tool}\n")).unwrap_or_else(|| panic!("no recipe for {tool}"));
    lines.split("\n\n").next().unwrap().to_owned()
}

/// The command of a tool's recipe.
pub(crate) fn command(tool: &str) -> String {
    let lines = lines(tool);
    let quoted = lines.lines().find_map(|line| line.strip_prefix("MIGRATE_COMMAND="));
    quoted.unwrap().trim_matches('\'').to_owned()
}

#[test]
fn every_recipe_has_its_tests() {
    let block = block();
    let tools: Vec<_> = block.lines().filter_map(|line| line.strip_prefix("# ")).collect();
    assert_eq!(tools, ["Django", "Alembic", "psql", "sqlx"]);
}
