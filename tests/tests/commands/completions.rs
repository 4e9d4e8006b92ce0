//! Completions, and what wrong usage gets.

use std::process::Command;

use tests::Workspace;

const COMMANDS: &[&str] = &[
    "db-setup",
    "db-verify",
    "db-migrate",
    "db-reset",
    "db-status",
    "db-url",
    "db-env",
    "db-psql",
    "db-clone",
    "db-drop",
    "db-stop",
    "ci",
    "completions",
];

#[test]
fn every_shells_completions_name_every_command() {
    let workspace = Workspace::new();
    for shell in ["bash", "zsh", "fish"] {
        let run = workspace.run(&["completions", shell]).exits(0);
        assert_eq!(run.stderr, "");
        for command in COMMANDS {
            assert!(run.stdout.contains(command), "{shell}: no {command}");
        }
        workspace.write(&format!("completions.{shell}"), &run.stdout);
        // A shell that is not here cannot be asked.
        match Command::new(shell).arg("-n").arg(workspace.root().join(format!("completions.{shell}"))).output() {
            Ok(output) => assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => eprintln!("{shell} itself did not read them: {error}"),
        }
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let workspace = Workspace::new();
    let mut said = String::new();
    for arguments in [
        &["db-nonsense"][..],
        &["db-verify", "--nonsense"],
        &["db-verify", "--format", "xml"],
        &["db-setup", "--server", "nonsense"],
        &["db-setup", "--wait", "soon"],
        &["db-url", "--admin", "--options"],
        &["db-status", "-q", "-v"],
        &["ci", "--shard", "2"],
        &["ci", "--shard", "0/2"],
        &["ci", "--shard", "3/2"],
        &["ci", "--junit"],
        &["completions", "nonsense"],
        &["completions"],
        &[],
    ] {
        let run = workspace.run(arguments).exits(2);
        assert_eq!(run.stdout, "", "{}", run.command);
        said += &format!("$ {}\n{}\n", run.command, run.stderr);
    }
    tests::shows("wrong-usage", &said);
}

#[test]
fn help_names_the_exit_codes() {
    Workspace::new().run(&["--help"]).exits(0).shows("help");
}
