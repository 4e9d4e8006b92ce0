//! PgBouncer, started for a test in front of a server.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use tests::{Cluster, Workspace, scrubbed};

/// A running PgBouncer, which ends with the value.
pub(crate) struct PgBouncer {
    child: Child,
    log: PathBuf,
    address: Ipv4Addr,
    pub(crate) port: u16,
}

impl PgBouncer {
    /// Pools every database of a server for these roles and passwords, with settings of its own:
    /// `&[("pool_mode", "transaction")]`. Its files are in the workspace.
    pub(crate) fn start(
        cluster: &Cluster,
        workspace: &Workspace,
        roles: &[(&str, &str)],
        settings: &[(&str, &str)],
    ) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        Self::start_at((Ipv4Addr::LOCALHOST, port), cluster, workspace, roles, settings)
    }

    /// The same at a place of its own.
    pub(crate) fn start_at(
        (address, port): (Ipv4Addr, u16),
        cluster: &Cluster,
        workspace: &Workspace,
        roles: &[(&str, &str)],
        settings: &[(&str, &str)],
    ) -> Self {
        let directory = format!("pgbouncer-{port}");
        let path = |name: &str| workspace.root().join(&directory).join(name);
        // With the passwords themselves it can log in by SCRAM on both sides.
        let roles: String =
            roles.iter().map(|(role, password)| format!("{} {}\n", quoted(role), quoted(password))).collect();
        workspace.write(&format!("{directory}/userlist.txt"), roles);
        let settings: String = settings.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
        let configuration = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n\n[pgbouncer]\nlisten_addr = {address}\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\n{settings}",
            cluster.port(),
            path("userlist.txt").display(),
        );
        workspace.write(&format!("{directory}/pgbouncer.ini"), configuration);
        let log = path("log");
        let file = File::create(&log).unwrap();
        let mut pgbouncer = scrubbed("pgbouncer");
        // It refuses to be root, and becomes somebody else by itself.
        if is_roots(&log) {
            pgbouncer.args(["-u", "nobody"]);
        }
        let output = file.try_clone().unwrap();
        pgbouncer.arg(path("pgbouncer.ini")).stdin(Stdio::null()).stdout(output).stderr(file);
        let mut started = Self { child: pgbouncer.spawn().unwrap(), log, address, port };
        started.await_ready();
        started
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn await_ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect((self.address, self.port)).is_err() {
            let has_ended = self.child.try_wait().unwrap().is_some();
            assert!(!has_ended && Instant::now() < deadline, "PgBouncer did not start: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whoever made the file is who this process is.
fn is_roots(file: &Path) -> bool {
    fs::metadata(file).unwrap().uid() == 0
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
