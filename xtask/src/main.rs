//! What is Aura's: its names, and the command that runs its migrations.

use std::{path::Path, process::ExitCode};

use xtask::Project;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace's root");
    xtask::main(&Project {
        name: "aura",
        root: root.to_owned(),
        database: "aura_db",
        role: "aura_user",
        schema: "aura",
        migrate_command: "cargo run --quiet --package aura -- migrate",
        migrate_inputs: "crates/aura/migrations/**",
        migrate_build: Some("cargo build --quiet --package aura"),
        container_helper: "pg-container",
    })
}
