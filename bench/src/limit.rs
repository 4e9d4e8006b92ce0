//! What the operating system and PostgreSQL alone need for a fresh cluster.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use pg_config::{Address, ConnInfo, ConnectError, Host, Password, SslMode};
use pg_server::{Binaries, ClusterTemplate};

/// What development servers are started with.
pub(crate) const SETTINGS: [&str; 4] = ["fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0"];

/// Copies an initialised data directory by `cp -a`, spawns `postgres` there with development settings,
/// and asks each millisecond until it answers.
pub(crate) fn copy_and_spawn(
    template: &ClusterTemplate,
    binaries: &Binaries,
    around: &Path,
) -> anyhow::Result<Duration> {
    let data = template.data();
    let owner = data.metadata().context("look at the template")?;
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).context("find a port")?.port();
    let started = Instant::now();
    fs::create_dir(around).context("make room for a copy")?;
    let place = &around.join("data");
    let copied = Command::new("cp").arg("-a").arg(&data).arg(place).status().context("run cp")?;
    if !copied.success() {
        bail!("cp -a failed ({copied})");
    }
    let mut postgres = Command::new(binaries.program("postgres"));
    postgres.arg("-D").arg(place).args(["-c", &format!("port={port}")]);
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories="].iter().chain(&SETTINGS) {
        postgres.args(["-c", setting]);
    }
    postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    // The directory around is ours; the data are the unprivileged user's, where we are root.
    if around.metadata().is_ok_and(|around| around.uid() != owner.uid()) {
        postgres.uid(owner.uid()).gid(owner.gid());
    }
    let mut server = postgres.spawn().context("spawn postgres")?;
    let answered = wait_for_answer(port, started);
    // SIGQUIT: nobody wants the data.
    let _ = Command::new("sh").args(["-c", &format!("kill -QUIT {}", server.id())]).status();
    let _ = server.wait();
    let _ = fs::remove_dir_all(around);
    answered
}

/// A refused login is an answer: only a server that is ready looks at passwords.
pub(crate) fn wait_for_answer(port: u16, started: Instant) -> anyhow::Result<Duration> {
    let address = Address { host: Host::Tcp("127.0.0.1".to_owned()), port };
    let nobody = ConnInfo {
        password: Some(Password::new("nobody's")),
        ssl_mode: SslMode::Disable,
        ..ConnInfo::of(&address, "postgres", "postgres")
    };
    while started.elapsed() < crate::WAIT {
        match pg_config::connect(&nobody) {
            Ok(_) | Err(ConnectError::Refused { .. }) => return Ok(started.elapsed()),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    bail!("a bare postgres did not answer on port {port}")
}
