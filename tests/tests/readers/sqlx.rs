//! sqlx, in a package of its own that is built here.

use std::process::Command;

use serde_json::Value;
use tests::skipped;

use crate::{
    installed::{converse, data, program, target},
    reader::Question,
};

/// Builds the package (cargo has the second of two processes wait), and asks its program.
pub(crate) fn ask(questions: &[Question]) -> Option<Vec<Value>> {
    let manifest = data().join("sqlx/Cargo.toml");
    let target = target().join("readers-sqlx");
    // Without the network first: where all is there already, nobody is asked.
    let build = |network: &[&str]| {
        let mut cargo = cargo();
        cargo.args(["build", "--quiet", "--locked"]).args(network).arg("--manifest-path").arg(&manifest);
        cargo.arg("--target-dir").arg(&target).output().unwrap()
    };
    if !build(&["--offline"]).status.success() {
        let built = build(&[]);
        if !built.status.success() {
            let words = String::from_utf8_lossy(&built.stderr);
            let fetched = cargo().args(["fetch", "--locked", "--manifest-path"]).arg(&manifest).output().unwrap();
            assert!(!fetched.status.success(), "{words}");
            skipped(&format!("sqlx cannot be fetched: {words}"));
            return None;
        }
    }
    Some(converse(&mut program(target.join("debug/reader-sqlx")), questions))
}

/// A cargo that does not see what the one around this test says of the package `tests`: build scripts ask
/// for such variables, and each change of them is a rebuild.
fn cargo() -> Command {
    // By way of rustup, where there is one: a dependency's `rust-toolchain` file would have its say otherwise.
    let mut cargo = Command::new("cargo");
    #[expect(clippy::disallowed_methods, reason = "what is taken from the nested cargo must be known")]
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        let prefixes =
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];
        if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            cargo.env_remove(&key);
        }
    }
    cargo
}
