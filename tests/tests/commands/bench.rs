//! `bench`: what it has started ends with it, or with the next bench.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tests::{Workspace, default_signals};

fn start(workspace: &Workspace) -> Child {
    workspace.bench().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Where a bench has its servers.
fn place(bench: &Child) -> PathBuf {
    pg_server::scratch().join(format!("aura-bench-{}", bench.id()))
}

/// How many servers work below a directory.
fn servers(directory: &Path) -> usize {
    let below = format!("{}/", directory.display());
    let lines = fs::read_dir("/proc").unwrap().flatten().map(|entry| fs::read(entry.path().join("cmdline")));
    let lines = lines.map(|line| String::from_utf8_lossy(&line.unwrap_or_default()).into_owned());
    lines.filter(|line| line.contains("postgres\0") && line.contains(&below)).count()
}

/// Whether the server that lasts as long as the bench is there: `initdb` runs others before.
fn serves(place: &Path) -> bool {
    servers(&place.join("server")) > 0
}

fn poll(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it did not come to that");
        thread::sleep(Duration::from_millis(5));
    }
}

fn interrupt(mut bench: Child) {
    let place = place(&bench);
    assert!(Command::new("kill").args(["-INT", &bench.id().to_string()]).status().unwrap().success());
    assert_eq!(bench.wait().unwrap().code(), Some(130));
    assert_eq!((place.exists(), servers(&place)), (false, 0));
}

#[test]
fn what_it_has_started_ends_with_it_or_with_the_next() {
    default_signals();
    let workspace = Workspace::new();
    let bench = start(&workspace);
    poll(|| serves(&place(&bench)));
    interrupt(bench);
    let mut killed = start(&workspace);
    let left = place(&killed);
    poll(|| serves(&left));
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(serves(&left));
    let next = start(&workspace);
    poll(|| serves(&place(&next)));
    assert!(!left.exists());
    poll(|| servers(&left) == 0);
    interrupt(next);
}
