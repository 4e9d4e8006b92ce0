//! The helper program: see the library, which other workspaces make a program of too.

use std::process::ExitCode;

fn main() -> ExitCode {
    pg_container::main()
}
