//! Cargo, where a program runs it that cargo has run.

use pg_config::Environment;

/// By these `cargo run` tells a program what package it is.
const PREFIXES: [&str; 6] =
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];

/// The variables of the cargo that has run this program. A cargo that we run must not see them: build scripts ask for
/// them (ring's does), and each change of them is a rebuild.
pub fn of_outer_cargo(environment: &Environment) -> impl Iterator<Item = &str> {
    environment.process_variables().map(|(key, _)| key).filter(|key| is_of_outer_cargo(key))
}

/// Whether a variable is one of them.
pub fn is_of_outer_cargo(key: &str) -> bool {
    PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}
