//! The commands, for the project of this workspace: what is Aura's stands in the root's `Cargo.toml`.

use std::{path::Path, process::ExitCode};

use xtask::Project;

fn main() -> ExitCode {
    xtask::main(Project::find(Path::new(env!("CARGO_MANIFEST_DIR"))))
}
