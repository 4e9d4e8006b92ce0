//! What readers need beyond this workspace: where it lies, and how it is asked.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::reader::Question;

/// The directory of the readers' data.
pub(crate) fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("readers")
}

/// Asks a program that answers each line of JSON by one.
pub(crate) fn converse(command: &mut Command, questions: &[Question]) -> Vec<Value> {
    let lines: String = questions
        .iter()
        .map(|question| format!("{}\n", json!({ "url": question.url, "query": question.query })))
        .collect();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It answers while it is still asked.
    let asking = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    asking.join().unwrap().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
