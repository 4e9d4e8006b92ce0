//! The commands, for the project of this workspace: what is Aura's stands in the root's `Cargo.toml`.

use std::{path::Path, process::ExitCode};

use pg_xtask::{OwnCommand, Project};

/// What no other workspace needs.
const OWN: [OwnCommand; 2] = [
    OwnCommand { name: "bench", about: "Measure, side by side in one run", package: "bench" },
    OwnCommand { name: "faults", about: "Break servers and files; check what is left", package: "tests" },
];

fn main() -> ExitCode {
    pg_xtask::main_with(Project::find(Path::new(env!("CARGO_MANIFEST_DIR"))), &OWN)
}
