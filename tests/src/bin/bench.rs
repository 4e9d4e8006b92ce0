//! The twin of `bench`: the same program, which measures the twin of `xtask` in the directory that it is run in.

use std::process::ExitCode;

fn main() -> ExitCode {
    let directory = std::env::current_dir().expect("tests run it in a directory");
    bench::main(pg_xtask::Project::find(&directory), "twin-xtask")
}
