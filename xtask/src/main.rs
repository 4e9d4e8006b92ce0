//! The commands, for the project of this workspace: what is Aura's stands in the root's `Cargo.toml`.

use std::{
    env,
    ffi::OsString,
    io::{self, Write as _},
    path::Path,
    process::{Command, ExitCode},
};

use pg_config::{EnvFile, Environment};
use pg_setup::migrate::of_outer_cargo;
use xtask::Project;

fn main() -> ExitCode {
    let project = Project::find(Path::new(env!("CARGO_MANIFEST_DIR")));
    let mut arguments = env::args_os().skip(1);
    match project {
        // Of this repository alone: it breaks the tool itself.
        Ok(project) if arguments.next().is_some_and(|command| command == "faults") => faults(&project, arguments),
        project => xtask::main(project),
    }
}

/// Builds the programs of the package `tests`, and runs the one that breaks the others.
fn faults(project: &Project, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let status = Environment::read(project, &EnvFile::Ignored).map_err(io::Error::other).and_then(|environment| {
        let cargo = |command: &[&str]| {
            let mut cargo = Command::new("cargo");
            cargo.args(command).args(["--quiet", "--locked", "--package", "tests"]).current_dir(&project.root);
            of_outer_cargo(&environment).for_each(|key| _ = cargo.env_remove(key));
            cargo
        };
        let built = cargo(&["build", "--bins"]).status()?;
        if built.success() { cargo(&["run", "--bin", "faults"]).arg("--").args(arguments).status() } else { Ok(built) }
    });
    match status {
        Ok(status) => ExitCode::from(status.code().and_then(|code| code.try_into().ok()).unwrap_or(1)),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: cannot run cargo: {error}");
            ExitCode::FAILURE
        }
    }
}
