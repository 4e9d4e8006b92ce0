//! `completions`: for the shell's own completion files.

use clap::Command;

use crate::{cli::Completions, outcome::Outcome, terminal};

impl Completions {
    pub(crate) fn run(self, mut grammar: Command) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut grammar, "cargo-xtask", &mut script);
        terminal::to_stdout(String::from_utf8_lossy(&script).trim_end());
        Outcome::Well
    }
}
