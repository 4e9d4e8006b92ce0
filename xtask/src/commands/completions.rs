//! `completions`: for the shell's own completion files.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{cli::Cli, terminal};

/// Prints the completions of a shell.
pub(crate) fn completions(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cargo-xtask", &mut script);
    terminal::to_stdout(String::from_utf8_lossy(&script).trim_end());
}
