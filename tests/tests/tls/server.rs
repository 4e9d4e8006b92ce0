//! A server that speaks TLS, with one certificate after another.

use std::{
    cell::{Cell, RefCell},
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::PathBuf,
    thread,
    time::Duration,
};

use tests::Cluster;

use crate::papers::Papers;

/// Who may come in which way; the first line that fits counts.
const HBA: &str = "\
local     all anyone             trust
host      all anyone         all trust
hostssl   all sealed         all trust
hostnossl all open           all trust
hostssl   all bearer         all cert
host      all secret         all scram-sha-256
host      all sealed,open,bearer all reject";

const ROLES: &str = "SET password_encryption = 'scram-sha-256';
    CREATE ROLE anyone LOGIN;
    CREATE ROLE sealed LOGIN;
    CREATE ROLE open LOGIN;
    CREATE ROLE bearer LOGIN;
    CREATE ROLE secret LOGIN PASSWORD 's3cret-of-tls'";

/// A running server, and what it may show.
pub(crate) struct Server {
    pub(crate) cluster: Cluster,
    pub(crate) papers: Papers,
    data: PathBuf,
    socket: String,
    version: u32,
    /// How it is set up now.
    current: RefCell<String>,
    reloads: Cell<u32>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let papers = Papers::shared();
        let cluster = Cluster::start();
        let show = |setting: &str| cluster.value("postgres", &format!("SHOW {setting}"));
        let data = PathBuf::from(show("data_directory"));
        let socket = show("unix_socket_directories").replace('"', "");
        let version = show("server_version_num").parse::<u32>().unwrap() / 10_000;
        let owner = fs::metadata(&data).unwrap();
        for (name, chain, key) in papers.servers() {
            for (from, to) in [(chain, format!("{name}.crt")), (key, format!("{name}.key"))] {
                let to = data.join(to);
                fs::copy(from, &to).unwrap();
                fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
                // The server must own its key; as root we are somebody else.
                chown(&to, Some(owner.uid()), Some(owner.gid())).unwrap();
            }
        }
        cluster.sql("postgres", ROLES);
        let server =
            Self { cluster, papers, data, socket, version, current: RefCell::default(), reloads: Cell::new(0) };
        // Lines about TLS are errors for a server that speaks none.
        server.set_up("valid");
        server.cluster.let_in(HBA);
        server
    }

    /// Whether a row is for it: for its version (`valid <17`), and not for a socket whose path is too long.
    pub(crate) fn fits(&self, set_up: &str, string: &str) -> bool {
        let has_place = !string.contains("SOCKET") || !self.socket.is_empty();
        has_place
            && set_up.split_whitespace().all(|word| match (word.strip_prefix(">="), word.strip_prefix('<')) {
                (Some(version), _) => self.version >= version.parse().unwrap(),
                (_, Some(version)) => self.version < version.parse().unwrap(),
                _ => true,
            })
    }

    /// Has it show a certificate, or (`off`) speak no TLS; settings may follow: `valid ssl_ciphers=…`.
    pub(crate) fn set_up(&self, wanted: &str) {
        if *self.current.borrow() == wanted {
            return;
        }
        let mut words = wanted.split_whitespace();
        let mut settings = match words.next().unwrap() {
            "off" => "ssl = off\n".to_owned(),
            name => format!("ssl = on\nssl_cert_file = '{name}.crt'\nssl_key_file = '{name}.key'\n"),
        };
        settings += "ssl_ca_file = 'client-root.crt'\n";
        for (name, value) in words.filter(|word| !word.starts_with(['<', '>'])).filter_map(|word| word.split_once('='))
        {
            settings += &format!("{name} = '{value}'\n");
        }
        // A session that shows the new number was begun after everything else was read.
        self.reloads.set(self.reloads.get() + 1);
        settings += &format!("tests.reloads = '{}'\n", self.reloads.get());
        fs::write(self.data.join("postgresql.auto.conf"), settings).unwrap();
        self.cluster.sql("postgres", "SELECT pg_catalog.pg_reload_conf()");
        let number = "SELECT pg_catalog.current_setting('tests.reloads', true)";
        while self.cluster.value("postgres", number) != self.reloads.get().to_string() {
            thread::sleep(Duration::from_millis(1));
        }
        let log = self.cluster.log();
        assert!(!log.contains("SSL configuration was not reloaded"), "{wanted}: {log}");
        wanted.clone_into(&mut self.current.borrow_mut());
    }

    /// The major version of the psql beside it.
    pub(crate) fn libpq(&self) -> u32 {
        self.version
    }

    /// The same text with the places as the tables have them.
    pub(crate) fn unfilled(&self, text: &str) -> String {
        let text = text.replace(&self.papers.path("").display().to_string(), "@");
        // The papers' dates are midnights.
        let text = text.replace(&format!(":{}", self.cluster.port()), ":PORT").replace("T00:00:00Z", "");
        if self.socket.is_empty() { text } else { text.replace(&self.socket, "SOCKET") }
    }

    /// A text with the places filled in: `@` is the papers' directory, `SOCKET` the socket's.
    pub(crate) fn filled(&self, text: &str) -> String {
        text.replace('@', &self.papers.path("").display().to_string()).replace("SOCKET", &self.socket)
    }
}
