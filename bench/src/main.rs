//! `cargo xtask bench`, for the project of this workspace.

use std::{path::Path, process::ExitCode};

use pg_config::Project;

fn main() -> ExitCode {
    bench::main(Project::find(Path::new(env!("CARGO_MANIFEST_DIR"))), "xtask")
}
