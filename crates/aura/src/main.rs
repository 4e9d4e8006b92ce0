//! The program `aura`; all of it is [`aura::main`], so that a test package can build a twin.

use std::process::ExitCode;

fn main() -> ExitCode {
    aura::main()
}
