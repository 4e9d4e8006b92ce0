//! Faults of the directory in which servers that the tool started keep their files.

use std::{fs, path::Path, process::Command as Process};

use tests::{Cluster, Workspace};

use crate::{
    plan::{Directory, Version, While},
    scene::{Ended, PATIENCE, Runs},
    verdict::{Verdict, judge_error, last_lines},
};

/// The commands that a person runs when something is wrong. The last one must work: who owns the files may stop the
/// server.
const COMMANDS: [&[&str]; 5] = [&["db-status"], &["db-url"], &["db-verify"], &["db-setup"], &["db-stop"]];

/// Breaks a directory, runs every command, restores it, and sets up again.
pub(crate) fn run(version: Version, directory: &Directory) -> Verdict {
    let binaries = Cluster::programs_of(version.major).unwrap();
    let workspace = Workspace::new().with("DB_SERVER", "local").with("PG_BIN_DIR", &binaries.display().to_string());
    let runs = Runs::new(workspace.root(), PATIENCE);
    let tool = |arguments: &[&str]| runs.wait(workspace.command(arguments));
    let mut verdict = Verdict::survived();
    if directory.at != While::Nothing {
        well(&tool(&["db-setup"]));
    }
    if directory.at == While::Stopped {
        well(&tool(&["db-stop"]));
    }
    let postmaster = pid(workspace.root(), version);
    if !script(&directory.breaks, workspace.root(), version) {
        eprintln!("skipped: directory/{} could not be made: only root may mount", directory.name);
        return Verdict::not_tried();
    }
    let mut is_set_up = false;
    for arguments in COMMANDS {
        let ended = tool(arguments);
        let mut judged = judge_error(&ended);
        if *arguments == ["db-status"] {
            // Its screen on stdout says it.
            judged.faults.retain(|(kind, _)| *kind != "no error message");
        }
        if *arguments == ["db-verify"] && directory.refuses_login && ended.code == Some(3) {
            judged.faults.clear();
        }
        judged.faults.iter_mut().for_each(|(_, seen)| *seen = format!("{}: {seen}", arguments.join(" ")));
        verdict.faults.append(&mut judged.faults);
        if *arguments == ["db-setup"] {
            verdict.end = judged.end;
            is_set_up = ended.code == Some(0);
        }
        if *arguments == ["db-stop"] && ended.code != Some(0) && postmaster.is_some_and(is_running) {
            verdict.add("a running server is not stopped", &last_lines(&ended));
        }
    }
    if is_set_up && !script(&directory.holds, workspace.root(), version) {
        verdict.add("success without everything done", &directory.holds);
    }
    // What the script has mounted.
    let _ = Process::new("umount").arg("--lazy").arg(workspace.root().join("servers")).output();
    // A running server needs less than one that is started: what a first run did without, a second one may refuse.
    if !is_set_up || tool(&["db-setup"]).code != Some(0) {
        script(&directory.restores, workspace.root(), version);
    }
    for arguments in [&["db-setup"][..], &["db-verify"], &["db-stop", "--purge", "--yes"]] {
        let ended = tool(arguments);
        if ended.code != Some(0) {
            verdict.add("second run failed", &format!("{}: {}", arguments.join(" "), last_lines(&ended)));
        }
    }
    runs.end_processes();
    verdict
}

fn well(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "without a fault: {}", ended.stderr);
}

/// Runs a script in the directory that has `servers`. `$CLUSTER` is the cluster's directory in that.
fn script(text: &str, root: &Path, version: Version) -> bool {
    let mut shell = tests::scrubbed("sh");
    shell.args(["-e", "-c", text]).current_dir(root).env("CLUSTER", format!("servers/clusters/{}", version.major));
    shell.status().unwrap().success()
}

fn pid(root: &Path, version: Version) -> Option<u32> {
    let file = root.join(format!("servers/clusters/{}/data/postmaster.pid", version.major));
    fs::read_to_string(file).ok()?.lines().next()?.parse().ok()
}

fn is_running(pid: u32) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    text.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
