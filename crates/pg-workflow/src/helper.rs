//! The helper program of the container rung, built when it is needed.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use pg_server::Say;
use serde_json::Value;

use crate::{Context, cargo::of_outer_cargo};

/// The helper program: a path as it is, or what cargo makes of the package.
pub fn build(context: &Context, say: Say<'_>) -> Result<PathBuf, String> {
    let project = &context.config.project;
    let Some(helper) = project.container_helper.as_deref() else {
        return Err("[workspace.metadata.database] names no container-helper".to_owned());
    };
    if helper.contains('/') {
        let path = PathBuf::from(helper);
        return if path.is_file() { Ok(path) } else { Err(format!("no file {helper}")) };
    }
    let arguments = ["build", "--package", helper, "--message-format", "json-render-diagnostics"];
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).current_dir(&project.root);
    for key in of_outer_cargo(&context.environment) {
        cargo.env_remove(key);
    }
    cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = cargo.spawn().map_err(|error| format!("`cargo {}` cannot be run: {error}", arguments.join(" ")))?;
    let messages = child.stdout.take().map(|stdout| thread::spawn(move || executable(stdout)));
    let words = child.stderr.take().map(|stderr| follow(stderr, helper, say)).unwrap_or_default();
    let status = child.wait().map_err(|error| error.to_string())?;
    let built = messages.and_then(|reader| reader.join().ok()).flatten();
    match built.filter(|_| status.success()) {
        Some(path) => Ok(path),
        None => Err(format!("`cargo build --package {helper}` failed ({status}): {}", words.join("; "))),
    }
}

/// The path that cargo says it has put the program at.
fn executable(messages: impl Read) -> Option<PathBuf> {
    let messages = BufReader::new(messages).lines().map_while(Result::ok);
    let values = messages.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    values.filter_map(|message| message["executable"].as_str().map(|path| Path::new(path).to_owned())).last()
}

/// Tells of a build that has something to do, and keeps its last words.
fn follow(stderr: impl Read, package: &str, say: Say<'_>) -> Vec<String> {
    let mut compiled = 0_u32;
    let mut words = Vec::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if line.trim_start().starts_with("Compiling") {
            if compiled == 0 {
                say(&format!(
                    "building {package}, the program that speaks to the container engine: some 200 crates, once"
                ));
            }
            compiled += 1;
            say(&format!("\r{compiled} crates"));
        } else if !line.trim().is_empty() {
            words.push(line.trim().to_owned());
        }
    }
    let superfluous = words.len().saturating_sub(6);
    words.split_off(superfluous)
}
