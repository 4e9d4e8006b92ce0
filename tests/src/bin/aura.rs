//! The twin of `aura`.

use std::process::ExitCode;

fn main() -> ExitCode {
    aura::main()
}
