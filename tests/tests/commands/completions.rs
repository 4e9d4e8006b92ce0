//! Completions, and what wrong usage gets.

use std::process::Command;

use tests::Workspace;

const COMMANDS: &[&str] = &[
    "db-setup",
    "db-verify",
    "db-migrate",
    "db-move",
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
fn help_has_the_commands_in_groups_and_each_command_its_examples() {
    let workspace = Workspace::new();
    let help = workspace.run(&["--help"]).exits(0).shows("help");
    assert!(workspace.run(&["--version"]).exits(0).stdout.starts_with("cargo xtask "));
    let mut said = String::new();
    for command in COMMANDS {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command} is in no group");
        let run = workspace.run(&[command, "--help"]).exits(0);
        let (own, common) = run.stdout.split_once("\nCommon options:").unwrap_or((&run.stdout, ""));
        assert!(run.stdout.contains("\nExamples:\n  "), "{command} has no example");
        assert!(!own.contains("--color") && (common.contains("--color") || *command == "completions"), "{command}");
        said += &run.screen();
    }
    tests::shows("help-of-each-command", &said);
}

/// A person types what comes to mind next.
#[test]
fn how_much_is_said_may_stand_before_the_command() {
    let workspace = Workspace::new().with("DATABSE_URL", "x");
    let after = workspace.run(&["db-url", "-v"]).exits(4);
    assert_eq!(workspace.run(&["-v", "db-url"]).exits(4).stderr, after.stderr);
    assert_eq!(workspace.run(&["--verbose", "db-url", "-v"]).exits(4).stderr, after.stderr);
    let painted = workspace.run(&["--color", "always", "db-url"]).exits(4).stderr;
    assert_eq!(workspace.run(&["db-url", "--color", "always"]).exits(4).stderr, painted);
    assert!(painted.contains("\x1b["), "{painted}");
    workspace.run(&["-q", "db-url", "-v"]).exits(2).shows("quiet-and-verbose");
}

#[test]
fn every_printed_example_is_of_the_grammar() {
    let workspace = Workspace::new();
    for command in COMMANDS {
        let help = workspace.run(&[command, "--help"]).exits(0).stdout;
        let (_, examples) = help.split_once("\nExamples:\n").unwrap();
        for example in examples.lines() {
            let (_, typed) = example.split_once("cargo xtask ").unwrap();
            let typed = typed.split([')', '>']).next().unwrap();
            let words: Vec<_> = typed.split_whitespace().take_while(|word| *word != "--" && *word != "npm").collect();
            assert_eq!(words[0], *command, "{example}");
            // Help is shown where all before it is known.
            workspace.run(&[&words[..], &["--help"]].concat()).exits(0);
        }
    }
}
