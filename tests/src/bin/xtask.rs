//! The twin of `xtask`: the same program, whose workspace is the directory that it is run in.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Whoever tests containers has it built beside this program.
    let own = std::env::current_exe().expect("a program knows where it is");
    let helper = own.with_file_name("pg-container").display().to_string();
    let root = std::env::current_dir().expect("tests run it in a directory");
    pg_xtask::main(Ok(pg_xtask::Project {
        name: "aura".into(),
        root,
        database: "aura_db".into(),
        role: "aura_user".into(),
        schema: "aura".into(),
        migrate_command: "cargo run --quiet --package aura -- migrate".into(),
        migrate_inputs: "crates/aura/migrations/**".into(),
        other_schemas: None,
        migrate_build: None,
        container_helper: Some(helper),
    }))
}
