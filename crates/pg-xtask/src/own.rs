//! Commands that one workspace alone has.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process};

use anyhow::Context as _;
use clap::{Arg, ArgMatches, Command, value_parser};
use pg_config::{EnvFile, Environment, Project};
use pg_workflow::of_outer_cargo;

use crate::outcome::Outcome;

/// A command of one workspace: a program of one of its packages, which cargo builds and runs.
#[derive(Clone, Copy, Debug)]
pub struct OwnCommand {
    /// As it is typed: `bench`. The program is called so too.
    pub name: &'static str,
    /// Its line in `--help`.
    pub about: &'static str,
    /// The package of the program.
    pub package: &'static str,
}

/// What follows the command's name is the program's own.
const ARGUMENTS: &str = "arguments";

impl OwnCommand {
    pub(crate) fn grammar(&self) -> Command {
        let arguments = Arg::new(ARGUMENTS).num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
        let arguments = arguments.value_parser(value_parser!(OsString)).hide(true);
        Command::new(self.name).about(self.about).disable_help_flag(true).arg(arguments)
    }

    /// Builds the programs of the package, and becomes the command's.
    pub(crate) fn run(&self, project: &Project, typed: &ArgMatches) -> anyhow::Result<Outcome> {
        let environment = Environment::read(project, &EnvFile::Ignored)?;
        let cargo = |command: &[&str]| {
            let mut cargo = process::Command::new("cargo");
            cargo.args(command).args(["--quiet", "--locked", "--package", self.package]).current_dir(&project.root);
            of_outer_cargo(&environment).for_each(|key| _ = cargo.env_remove(key));
            cargo
        };
        if !cargo(&["build", "--bins"]).status().context("cannot run cargo build")?.success() {
            return Ok(Outcome::Error);
        }
        let arguments = typed.get_many::<OsString>(ARGUMENTS).into_iter().flatten();
        // Signals and the exit code are the program's.
        Err(cargo(&["run", "--bin", self.name]).arg("--").args(arguments).exec()).context("cannot run cargo run")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_name_is_handed_on() {
        let own = OwnCommand { name: "bench", about: "Measure", package: "bench" };
        let grammar = Command::new("xtask").subcommand(own.grammar());
        for typed in [&["--help"][..], &["--check", "--repeat", "3", "-q"], &["a b", "-x"], &[]] {
            let matches = grammar.clone().get_matches_from([&["xtask", "bench"], typed].concat());
            let (_, found) = matches.subcommand().unwrap();
            let found: Vec<_> = found.get_many::<OsString>(ARGUMENTS).into_iter().flatten().collect();
            assert_eq!(found, typed);
        }
    }
}
