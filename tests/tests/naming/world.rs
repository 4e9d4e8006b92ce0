//! The servers, roles and files that the connection strings of this suite are about, and the two readers that
//! each string is given to: psql, and us.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use pg_connect::{Parameters, Surroundings};
use tests::{Cluster, become_standby};

/// What both readers ask of the server that they have reached.
const FACTS: &str = "SELECT concat_ws(' ', current_user, current_database(), host(inet_server_addr()), \
     current_setting('port'), pg_is_in_recovery(), current_setting('search_path'), current_setting('work_mem'), \
     nullif(nullif(current_setting('application_name'), 'psql'), ''), (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()))";

/// A password with everything that some encoding trips over.
pub(crate) const ODD: &str = r#"p@ss:w/o?r#d%&=+ \'"é{}[]<>|^~`$!*();,."#;

/// Two servers, one of which is a standby; roles and databases with plain and odd names; a home directory.
pub(crate) struct World {
    primary: Cluster,
    standby: Cluster,
    standby_process: Child,
    psql: PathBuf,
    home: PathBuf,
    words: BTreeMap<&'static str, String>,
}

impl World {
    pub(crate) fn new() -> Self {
        let everywhere = [("listen_addresses", "127.0.0.1,127.0.0.2,::1"), ("wal_level", "replica")];
        let primary = Cluster::start_with(&everywhere);
        let standby = Cluster::start_with(&everywhere);
        for cluster in [&primary, &standby] {
            furnish(cluster);
        }
        let standby_process = become_standby(&standby);
        let socket = PathBuf::from(primary.value("postgres", "SHOW unix_socket_directories").trim_matches('"'));
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // An older libpq looks for the home directory elsewhere, and knows too little of what is asked here.
        let own = major(&primary.binaries().join("psql"));
        let newer = [18, 17, 15].into_iter().filter(|_| own < 15).find_map(Cluster::programs_of);
        let binaries = newer.unwrap_or_else(|| primary.binaries());
        let home = primary.directory("home");
        let words = BTreeMap::from([
            ("{port}", primary.port().to_string()),
            ("{standby}", standby.port().to_string()),
            ("{closed}", closed.to_string()),
            ("{socket}", socket.display().to_string()),
            ("{socket-encoded}", socket.display().to_string().replace('/', "%2F")),
            ("{home}", home.display().to_string()),
            ("{odd}", odd_encoded()),
        ]);
        let world = Self { psql: binaries.join("psql"), primary, standby, standby_process, home, words };
        world.write_files();
        world
    }

    /// The files that libpq looks at.
    fn write_files(&self) {
        let write = |name: &str, mode, text: &str| {
            let path = self.home.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, self.filled(text)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        write(".pgpass", 0o600, include_str!("files/pgpass"));
        write("open.pgpass", 0o644, "*:*:*:app:app-pw\n");
        write("second.pgpass", 0o600, "# none of these\n127.0.0.1:{port}:db:app:app-pw\n");
        write(".pg_service.conf", 0o644, include_str!("files/pg_service.conf"));
        write("other_service.conf", 0o644, "[elsewhere]\nhost=127.0.0.1\nport={port}\nuser=trusted\ndbname=other\n");
        write("etc/pg_service.conf", 0o644, "[of-the-system]\nhost=127.0.0.1\nport={port}\nuser=trusted\n");
        write("broken_service.conf", 0o644, "[broken]\nhost=127.0.0.1\nno assignment\n");
    }

    /// A text with its `{words}` replaced by what they are here.
    pub(crate) fn filled(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    }

    /// What psql reaches with a string in an environment, or its error.
    pub(crate) fn psql(&self, string: &str, environment: &[(String, String)]) -> Result<String, String> {
        let mut command = Command::new(&self.psql);
        command.args(["-X", "-A", "-t", "-q", "-w", "-d", string, "-c", FACTS]).env_clear();
        command.env("HOME", &self.home).envs(environment.iter().cloned()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// What we reach with it, or our error. We may also say that something was not used.
    pub(crate) fn ours(&self, string: &str, environment: &[(String, String)]) -> Result<String, String> {
        let variable = |key: &str| environment.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        let around = Surroundings { variable: &variable, home: Some(self.home.clone()) };
        let parameters = Parameters::parse(string).map_err(|error| error.to_string())?;
        let (candidates, _) = around.complete(parameters).map_err(|error| error.to_string())?;
        let (_, mut session) = candidates.connect(Duration::ZERO).map_err(|error| error.to_string())?;
        let row = session.client.query_one(FACTS, &[]).map_err(|error| format!("{error:#}"))?;
        Ok(row.get::<_, String>(0))
    }

    /// libpq's major version.
    pub(crate) fn version(&self) -> u32 {
        major(&self.psql)
    }

    pub(crate) fn primary(&self) -> &Cluster {
        &self.primary
    }

    pub(crate) fn standby(&self) -> &Cluster {
        &self.standby
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.standby_process.kill();
        let _ = self.standby_process.wait();
    }
}

/// The major version of a psql: `psql (PostgreSQL) 19rc1 (Debian 19~rc1-1)`.
fn major(psql: &Path) -> u32 {
    let version = Command::new(psql).arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let digits = |word: &str| word.chars().take_while(char::is_ascii_digit).collect::<String>();
    version.split_whitespace().find_map(|word| digits(word).parse().ok()).unwrap_or_else(|| panic!("{version}"))
}

/// Roles, databases and who may log in how, on one server.
fn furnish(cluster: &Cluster) {
    let odd = ODD.replace('\'', "''");
    cluster.sql(
        "postgres",
        &format!(
            r#"SET standard_conforming_strings = on;
            CREATE ROLE app LOGIN PASSWORD 'app-pw'; CREATE ROLE trusted LOGIN; CREATE ROLE root LOGIN;
            CREATE ROLE odd LOGIN PASSWORD '{odd}'; CREATE ROLE "o'neil \ @é" LOGIN PASSWORD 'app-pw';
            CREATE ROLE spaced LOGIN PASSWORD 'two words';
            CREATE ROLE empty LOGIN;"#
        ),
    );
    for database in ["db", "other", "app", "trusted", "root", r#""d b""#, r#""ü/x?y@z""#, r#""a=b""#] {
        cluster.sql("postgres", &format!("CREATE DATABASE {database}"));
    }
    // As whom the tests run is libpq's default role.
    let me = nix_user();
    if me != "root" {
        cluster.sql("postgres", &format!("CREATE ROLE \"{me}\" LOGIN; CREATE DATABASE \"{me}\""));
    }
    let trusted = format!("trusted,root,\"{me}\"");
    cluster.let_in(&format!("local all {trusted} trust\nhost all {trusted} all trust"));
}

fn nix_user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// [`ODD`] as a URI has it.
fn odd_encoded() -> String {
    ODD.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
