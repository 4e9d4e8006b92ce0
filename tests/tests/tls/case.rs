//! One connection string, given to psql and to us.

use std::{
    fmt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use pg_connect::{Encryption, Parameters, Surroundings, Verified};

use crate::server::Server;

/// How the session is encrypted, as the server sees it.
const QUERY: &str = "SELECT ssl, version FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()";

/// For a loaded machine: what a table has is there at once.
const WAIT: Duration = Duration::from_secs(5);

/// How the reason begins where a server that refuses was taken for one that is not there, and waited for.
pub(crate) const NOBODY: &str = "as if nobody were there: ";

/// What a connection string comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// By TLS of this version; libpq does not tell what it verified.
    Tls(String, Option<Verified>),
    /// In the clear, and why, where we tell it.
    Clear(String),
    /// Not at all, and why.
    Refused(String),
}

/// A connection string, and the home directory around it.
pub(crate) struct Case<'a> {
    server: &'a Server,
    string: String,
    home: PathBuf,
}

impl<'a> Case<'a> {
    /// The case of a table's connection string, whose `HOME=` chooses among the papers' home directories.
    pub(crate) fn new(server: &'a Server, string: &str) -> Self {
        let (home, string) = match string.strip_prefix("HOME=").and_then(|rest| rest.split_once(' ')) {
            Some((home, string)) => (home, string),
            None => ("none", string),
        };
        let mut string = format!("{} port={}", server.filled(string), server.cluster.port());
        for (key, value) in [("user", "anyone"), ("dbname", "postgres")] {
            if !string.contains(&format!("{key}=")) {
                string += &format!(" {key}={value}");
            }
        }
        Self { server, string, home: server.papers.path(home) }
    }

    /// Begins to ask psql.
    pub(crate) fn psql(&self) -> Child {
        Command::new(self.server.cluster.binaries().join("psql"))
            .args(["-X", "-q", "-A", "-t", "-w", "-d", &self.string, "-c", QUERY])
            .env_clear()
            .env("HOME", &self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// What comes of our own way.
    pub(crate) fn ours(&self) -> Outcome {
        let (encryption, seen) = match self.session() {
            Ok(both) => both,
            Err(error) => return Outcome::Refused(error),
        };
        match (encryption, seen) {
            (Encryption::Tls(version, verified), Some(seen)) if seen == version => Outcome::Tls(seen, Some(verified)),
            (Encryption::Clear(why), None) => Outcome::Clear(why),
            (Encryption::Socket, None) => Outcome::Clear("a socket".to_owned()),
            (ours, seen) => panic!("we say {ours:?}, the server {seen:?}"),
        }
    }

    /// What we say of it to people.
    pub(crate) fn sentence(&self) -> String {
        self.session().map_or_else(|error| error, |(encryption, _)| encryption.to_string())
    }

    /// How our session is encrypted, in our words and by which version as the server sees it; or why there is none.
    fn session(&self) -> Result<(Encryption, Option<String>), String> {
        let around = Surroundings { variable: &|_| None, home: Some(self.home.clone()) };
        let said = Parameters::parse(&self.string).and_then(|said| around.complete(said));
        let (candidates, _) = said.map_err(|error| error.to_string())?;
        let (_, mut session) = candidates.connect(WAIT).map_err(|error| match error {
            error if error.is_no_server() => format!("{NOBODY}{error}"),
            error => error.to_string(),
        })?;
        let seen = session.client.query_one(QUERY, &[]).unwrap();
        let seen = seen.get::<_, bool>(0).then(|| seen.get(1));
        Ok((session.encryption, seen))
    }
}

/// What psql came to.
pub(crate) fn outcome(psql: Child) -> Outcome {
    let output = psql.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match text.trim_end().split_once('|') {
        Some(("t", version)) => Outcome::Tls(version.to_owned(), None),
        Some(("f", _)) => Outcome::Clear(String::new()),
        _ => {
            let why = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
            assert!(!why.contains("invalid connection option"), "the table must not ask libpq: {why}");
            Outcome::Refused(why)
        }
    }
}

impl Outcome {
    /// As the tables have it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Tls(_, None | Some(Verified::Nothing)) => "tls",
            Self::Tls(_, Some(Verified::Issuer)) => "issuer",
            Self::Tls(_, Some(Verified::Host)) => "host",
            Self::Clear(_) => "clear",
            Self::Refused(_) => "refused",
        }
    }

    /// Why it is not encrypted, or not at all.
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::Tls(..) => None,
            Self::Clear(why) | Self::Refused(why) => Some(why),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(version, _) => write!(f, "{} ({version})", self.word()),
            Self::Clear(why) => write!(f, "clear: {why}"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}
