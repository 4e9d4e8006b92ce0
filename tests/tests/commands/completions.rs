//! Completions, and what wrong usage gets.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Command, Stdio},
};

use tests::{Workspace, has};

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
    }
}

/// A person types `cargo xtask db-ver` and TAB: the shell completes it. Then the line is printed, not run.
#[test]
fn the_real_shells_complete_what_follows_cargo_xtask() {
    for (shell, start, install) in [
        ("bash", "bash --norc --noprofile -i", "bind 'set enable-bracketed-paste off'; source $PWD/completions"),
        (
            "zsh",
            "zsh -f -i",
            "bindkey -e; mv completions _cargo-xtask; fpath=($PWD $(rustc --print sysroot)/share/zsh/site-functions \
             $fpath); autoload -U compinit; compinit -u -D",
        ),
        ("fish", "fish --no-config --interactive", "source $PWD/completions"),
    ] {
        if !has(shell, shell) {
            return;
        }
        let workspace = Workspace::new();
        workspace.write("completions", &workspace.run(&["completions", shell]).exits(0).stdout);
        if shell == "fish" {
            // It draws its line as it likes, and answers when it is asked.
            let ask = |line: &str| {
                let script = format!("{install}; complete -C '{line}'");
                let mut fish = Command::new("fish");
                let output = fish.args(["--no-config", "-c", &script]).current_dir(workspace.root()).output().unwrap();
                String::from_utf8(output.stdout).unwrap()
            };
            assert!(ask("cargo xtask db-ver").starts_with("db-verify"), "{}", ask("cargo xtask db-ver"));
            assert!(ask("cargo xtask db-verify --expl").contains("--explain"));
            assert!(ask("cargo xtask db-verify --explain own").contains("ownership"));
            assert!(!ask("cargo b").contains("db-"), "{}", ask("cargo b"));
            continue;
        }
        for (typed, completed) in [
            ("cargo xtask db-ver", "cargo xtask db-verify"),
            ("cargo xtask db-verify --expl", "cargo xtask db-verify --explain"),
            ("cargo xtask db-verify --explain own", "cargo xtask db-verify --explain ownership"),
        ] {
            let shown = typed_into(start, install, typed, workspace.root());
            assert!(shown.lines().any(|line| line.trim() == completed), "{shell}: {typed}: {shown}");
        }
    }
}

/// What a shell on a terminal shows after a line was completed by TAB, and printed by `echo` at its beginning.
fn typed_into(start: &str, install: &str, line: &str, directory: &Path) -> String {
    let mut script = Command::new("script");
    script.args(["--quiet", "--command", start, "/dev/null"]).current_dir(directory).env("TERM", "dumb");
    let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (script.stdin.take().unwrap(), BufReader::new(script.stdout.take().unwrap()));
    writeln!(input, "cp completions kept; {install}; cp kept completions; echo is_\"\"ready").unwrap();
    let mut shown = String::new();
    while !shown.contains("is_ready") {
        assert!(output.read_line(&mut shown).unwrap() > 0, "{shown}");
    }
    // Ctrl-A is the line's beginning.
    write!(input, "{line}\t\u{1}echo \nexit\n").unwrap();
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).unwrap();
    script.wait().unwrap();
    String::from_utf8_lossy(&rest).replace('\r', "\n")
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
