//! `completions`: for the shell's own completion files.

use clap::Command;
use clap_complete::Shell;

use crate::{cli::Completions, outcome::Outcome, terminal};

impl Completions {
    pub(crate) fn run(self, mut grammar: Command) -> Outcome {
        let mut script = Vec::new();
        // bash completes the words behind `cargo`.
        let program = if self.shell == Shell::Bash { "xtask" } else { "cargo-xtask" };
        clap_complete::generate(self.shell, &mut grammar, program, &mut script);
        let script = String::from_utf8_lossy(&script);
        terminal::to_stdout(&match self.shell {
            Shell::Bash => format!("{}\n{}", script.trim_end(), include_str!("completions.bash").trim_end()),
            Shell::Fish => of_cargo(script.trim_end()),
            // cargo's own completions of zsh call `_cargo-xtask`.
            _ => script.trim_end().to_owned(),
        });
        Outcome::Well
    }
}

/// fish completes `cargo` and looks at what follows: here only behind `cargo xtask`, without these two words.
fn of_cargo(script: &str) -> String {
    script.replace("complete -c cargo-xtask ", "complete -c cargo ").replace(
        "    set -e cmd[1]\n",
        "    set -e cmd[1]\n    test \"$cmd[1]\" = xtask\n    or return 1\n    set -e cmd[1]\n",
    )
}
