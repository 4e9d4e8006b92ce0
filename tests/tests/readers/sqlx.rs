//! sqlx, in a package of its own that is built here.

use serde_json::Value;
use tests::{cargo, kept, scrubbed, skipped};

use crate::{
    installed::{converse, data},
    reader::Question,
};

/// Builds the package (cargo has the second of two processes wait), and asks its program.
pub(crate) fn ask(questions: &[Question]) -> Option<Vec<Value>> {
    let manifest = data().join("sqlx/Cargo.toml");
    let target = kept("readers-sqlx");
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
    Some(converse(&mut scrubbed(target.join("debug/reader-sqlx")), questions))
}
