//! Signals to the program alone while its migrations run: the migrate command ends with it, with all that it has
//! started.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tests::{Cluster, Run, Workspace, default_signals};

use crate::concurrency::poll;

/// Notes the ids of the command's shell and of a process of that, makes a table, and lasts.
const LASTS: &str = "echo $$ > shell; psql -X -q -c 'CREATE TABLE IF NOT EXISTS half (id int)'; \
                     sh -c 'echo $$ > below; exec sleep 600' & \
                     while [ ! -s below ]; do sleep 0.02; done; touch begun; wait; touch never";

/// The processes that the command has noted, once it has begun.
fn begun(workspace: &Workspace) -> [u32; 2] {
    poll(|| workspace.root().join("begun").exists());
    ["shell", "below"].map(|name| {
        let path = workspace.root().join(name);
        fs::read_to_string(path).unwrap().trim().parse().unwrap()
    })
}

/// Whether a process runs: one that has ended may wait for its parent to collect it.
fn runs(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z') && !line.contains('X'))
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap().success());
}

fn spawn(workspace: &Workspace, arguments: &[&str]) -> Child {
    workspace.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn clear(root: &Path) {
    for name in ["shell", "below", "begun"] {
        let _ = fs::remove_file(root.join(name));
    }
}

#[test]
fn a_signal_ends_the_migrate_command_and_what_it_has_started() {
    default_signals();
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", LASTS);
    for (command, name, code) in [("db-setup", "INT", 130), ("db-setup", "TERM", 143), ("db-migrate", "HUP", 129)] {
        clear(workspace.root());
        let child = spawn(&workspace, &[command]);
        let pids = begun(&workspace);
        signal(&child, name);
        let run = Run::of(format!("cargo xtask {command} # SIG{name}"), child.wait_with_output().unwrap());
        // It has waited for them.
        assert_eq!(pids.map(runs), [false; 2], "{}", run.stderr);
        run.exits(code).shows(&format!("sig{}", name.to_lowercase()));
        assert!(!workspace.root().join("never").exists());
    }
    // What was half made is no success: to a verification neither, and the next setup runs the command again.
    workspace.verify().exits(3);
    let next = workspace.with("MIGRATE_COMMAND", "psql -X -q -c 'CREATE TABLE whole (id int)'");
    next.run(&["db-setup"]).exits(0);
    assert_eq!(next.value("SELECT to_regclass('half') || ' ' || to_regclass('whole')"), "half whole");
}

/// One that does not obey is killed.
#[test]
fn a_command_that_ignores_signals_is_killed() {
    default_signals();
    let cluster = Cluster::start();
    let stubborn = format!("trap '' INT TERM HUP; {LASTS}");
    let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", &stubborn);
    let child = spawn(&workspace, &["db-setup"]);
    let pids = begun(&workspace);
    signal(&child, "TERM");
    let run = Run::of("cargo xtask db-setup # SIGTERM".to_owned(), child.wait_with_output().unwrap());
    assert_eq!(pids.map(runs), [false; 2], "{}", run.stderr);
    run.exits(143);
}

/// Nothing of the program is left to end the command.
#[test]
fn the_command_ends_after_the_program_was_killed() {
    let cluster = Cluster::start();
    for before in ["", "trap '' INT TERM HUP; "] {
        let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", &format!("{before}{LASTS}"));
        let mut child = spawn(&workspace, &["db-setup"]);
        let pids = begun(&workspace);
        child.kill().unwrap();
        child.wait().unwrap();
        poll(|| pids.map(runs) == [false; 2]);
        assert!(!workspace.root().join("never").exists());
    }
}

/// The lock on the server ends with the program, and a stubborn command seconds later.
#[test]
fn the_next_setup_waits_for_the_command_of_a_killed_one() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", &format!("trap '' INT TERM HUP; {LASTS}"));
    let mut child = spawn(&workspace, &["db-setup"]);
    begun(&workspace);
    child.kill().unwrap();
    child.wait().unwrap();
    let next = "if kill -0 \"$(cat shell)\"; then exit 9; fi; psql -X -q -c 'CREATE TABLE whole (id int)'";
    let next = workspace.with("MIGRATE_COMMAND", next);
    next.run(&["db-setup"]).exits(0);
}

/// Under `nohup` a hang-up changes nothing.
#[test]
fn a_hang_up_that_is_ignored_ends_nothing() {
    default_signals();
    let cluster = Cluster::start();
    let makes = "touch begun; while [ ! -e go ]; do sleep 0.02; done; psql -X -q -c 'CREATE TABLE whole (id int)'";
    let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", makes);
    let program = workspace.command(&[]).get_program().to_owned();
    let mut nohup = workspace.command_of(Path::new("sh"), &["-c", "trap '' HUP; exec \"$0\" db-setup"]);
    let child = nohup.arg(program).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    poll(|| workspace.root().join("begun").exists());
    signal(&child, "HUP");
    workspace.write("go", "");
    Run::of("nohup cargo xtask db-setup".to_owned(), child.wait_with_output().unwrap()).exits(0);
}

/// At a terminal of its own, as `script` makes one.
pub(crate) fn at_a_terminal(workspace: &Workspace, command: &str) -> Child {
    let program = workspace.command(&[]).get_program().display().to_string();
    let line = format!("{program} {command}");
    let mut script = workspace.command_of(Path::new("script"), &["-q", "-e", "-c", &line, "/dev/null"]);
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn ctrl_c_at_a_terminal_ends_the_command() {
    default_signals();
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", LASTS);
    let mut child = at_a_terminal(&workspace, "db-setup");
    let pids = begun(&workspace);
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(b"\x03").unwrap();
    keyboard.flush().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(pids.map(runs), [false; 2]);
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stdout));
}

/// A command that asks at the terminal, or writes there, is not stopped: it would wait for ever.
#[test]
fn a_command_that_asks_at_a_terminal_is_not_stopped() {
    let cluster = Cluster::start();
    let asks = "echo asks > /dev/tty; stty -echo < /dev/tty; if read answer < /dev/tty; then echo \"got $answer\"; \
                else echo 'no answer'; fi; exit 3";
    let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", asks);
    let mut child = at_a_terminal(&workspace, "db-setup");
    let keyboard = child.stdin.take().unwrap();
    let (sender, ended) = std::sync::mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
    let output = ended.recv_timeout(Duration::from_secs(120)).expect("the command was stopped");
    drop(keyboard);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no answer"), "{said}");
}

#[test]
fn of_a_long_output_the_end_is_kept() {
    let cluster = Cluster::start();
    let chatty = "i=0; while [ $i -lt 2000 ]; do echo \"line $i\"; i=$((i + 1)); done; \
                  head -c 3000000 /dev/zero | tr '\\0' x; echo; echo 'psql:a.sql:1: WARNING:  careful'; exit 3";
    let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", chatty);
    let run = workspace.run(&["db-setup"]).exits(1).complains("(1962 lines before these)").complains("careful");
    assert!(run.stderr.len() < 100_000, "{} bytes", run.stderr.len());
}
