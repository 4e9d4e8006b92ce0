//! A server that can only be read.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::Cluster;

/// Ends the server, and starts it again with the same arguments as the standby of nobody. It ends with the
/// cluster, which must have been started with `wal_level` replica and `hot_standby`.
pub fn become_standby(cluster: &Cluster) -> Child {
    let data = PathBuf::from(cluster.value("postgres", "SHOW data_directory"));
    let line = fs::read(format!("/proc/{}/cmdline", cluster.pid())).unwrap();
    let arguments: Vec<_> =
        line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let owner = fs::metadata(&data).unwrap();
    assert!(Command::new("sh").args(["-c", &format!("kill -INT {}", cluster.pid())]).status().unwrap().success());
    let pid_file = data.join("postmaster.pid");
    await_that("the server ended", || !pid_file.exists());
    let signal = data.join("standby.signal");
    fs::write(&signal, "").unwrap();
    chown(&signal, Some(owner.uid()), Some(owner.gid())).unwrap();
    let mut server = Command::new(&arguments[0]);
    server.args(arguments[1..].iter().filter(|word| !word.is_empty())).current_dir("/").stdin(Stdio::null());
    // Only root may become somebody else; anybody else is the server's user already.
    if owner.uid() != fs::metadata("/proc/self").unwrap().uid() {
        server.uid(owner.uid()).gid(owner.gid());
    }
    let child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    await_that("the standby serves", || {
        let lines = fs::read_to_string(&pid_file).unwrap_or_default();
        lines.trim_end().ends_with("standby") || lines.trim_end().ends_with("ready")
    });
    child
}

fn await_that(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..6000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("waited for 30 s: {what}");
}
