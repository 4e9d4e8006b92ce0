//! What a connection needs: complete, and able to print itself as a URL that every reader takes.

mod keyvalue;
mod keyword;
mod mask;
mod options;
mod uri;

use std::{fmt, path::PathBuf, time::Duration};

use thiserror::Error;

pub use self::{mask::mask_urls, options::Options};
use crate::Password;

/// Everything that a connection needs; nothing is left to the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnInfo {
    /// Where the server listens.
    pub host: Host,
    /// TCP port, or the number in the socket's file name.
    pub port: u16,
    /// The role.
    pub user: String,
    /// The role's password; none for `peer` and `trust`.
    pub password: Option<Password>,
    /// The database.
    pub database: String,
    /// Settings that the session starts with (libpq's `options`).
    pub options: Options,
    /// Whether the connection is encrypted.
    pub ssl_mode: SslMode,
    /// The session's name in `pg_stat_activity`.
    pub application_name: Option<String>,
    /// How long one attempt may take.
    pub connect_timeout: Option<Duration>,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name or an address.
    Tcp(String),
    /// The directory of a Unix socket.
    Unix(PathBuf),
}

/// libpq's `sslmode`, as far as it is supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SslMode {
    /// Never encrypt.
    Disable,
    /// Encrypt where the server offers it.
    #[default]
    Prefer,
    /// Encrypt or fail; the certificate is not verified.
    Require,
}

/// What a connection string says, which may be little: the rest comes from other sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnString {
    /// `host`.
    pub host: Option<Host>,
    /// `port`.
    pub port: Option<u16>,
    /// `user`.
    pub user: Option<String>,
    /// `password`.
    pub password: Option<Password>,
    /// `dbname`.
    pub database: Option<String>,
    /// `options`.
    pub options: Option<Options>,
    /// `sslmode`.
    pub ssl_mode: Option<SslMode>,
    /// `application_name`.
    pub application_name: Option<String>,
    /// `connect_timeout`; 0 and below mean no limit.
    pub connect_timeout: Option<Duration>,
}

/// Why a connection string was refused. Holds no part of it that could be a password.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InvalidConnString {
    /// Neither a URI nor `key=value` pairs.
    #[error("it is neither a URI (postgresql://user:password@host:5432/database) nor key=value pairs")]
    Form,
    /// Another tool's scheme.
    #[error("the scheme `{0}` is not PostgreSQL's own: write postgresql:// instead")]
    Scheme(String),
    /// A character that must be percent-encoded.
    #[error("{place} holds {found}: write it as {instead}")]
    Escape {
        /// The part of the URI.
        place: &'static str,
        /// The offending character, named.
        found: &'static str,
        /// Its percent-encoding.
        instead: &'static str,
    },
    /// A value that its key does not allow.
    #[error("`{key}` {reason}")]
    Value {
        /// The parameter's name, or the part of the URI.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A parameter of libpq's that is not supported yet, or another tool's.
    #[error("the parameter `{0}` is not supported here: take it out")]
    Unsupported(&'static str),
    /// A parameter of nobody's. Its name is not shown: it may be the rest of a password.
    #[error(
        "it holds a parameter that libpq does not know (in a password, `&` must be percent-encoded in a URI; white space needs single quotes around the value in key=value pairs)"
    )]
    Unknown,
}

impl ConnString {
    /// Reads a URI or `key=value` pairs, as the manual's section 34.1.1 has them; the seed document's
    /// unencoded `?options=-csearch_path=aura` too, which libpq itself refuses.
    pub fn parse(text: &str) -> Result<Self, InvalidConnString> {
        let text = text.trim();
        match text.split_once("://") {
            Some(("postgres" | "postgresql", rest)) => uri::parse(rest),
            Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.:-".contains(c)) => {
                Err(InvalidConnString::Scheme(scheme.to_owned()))
            }
            _ if text.contains('=') => keyvalue::parse(text),
            _ => Err(InvalidConnString::Form),
        }
    }

    /// Sets one parameter by libpq's name. Later ones win, as in libpq.
    pub(crate) fn set(&mut self, key: &str, value: String) -> Result<(), InvalidConnString> {
        let key = keyword::known(key)?;
        let invalid = |reason: &str| InvalidConnString::Value { key, reason: reason.to_owned() };
        if value.contains(['\0', '\n', '\r']) {
            return Err(invalid("holds a line break or a zero byte"));
        }
        if value.is_empty() {
            return Ok(());
        }
        match key {
            "host" => self.host = Some(Host::parse(&value).ok_or_else(|| invalid("names several hosts: give one"))?),
            "port" => self.port = Some(parse_port(&value).ok_or_else(|| invalid("is no number from 1 to 65535"))?),
            "user" => self.user = Some(value),
            "password" => self.password = Some(Password::new(value)),
            "dbname" => self.database = Some(value),
            "options" => self.options = Some(Options::parse(&value).map_err(|reason| invalid(&reason))?),
            "sslmode" => self.ssl_mode = Some(SslMode::parse(&value).map_err(|reason| invalid(&reason))?),
            "application_name" => self.application_name = Some(value),
            "connect_timeout" => {
                let seconds: i64 = value.parse().map_err(|_| invalid("is no whole number of seconds"))?;
                self.connect_timeout = u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs);
            }
            // Said again, these defaults change nothing.
            "client_encoding" if ["utf8", "utf-8", "unicode", "auto"].contains(&value.to_lowercase().as_str()) => {}
            "channel_binding" | "gssencmode" if ["prefer", "disable"].contains(&value.as_str()) => {}
            "target_session_attrs" if value == "any" => {}
            _ => return Err(InvalidConnString::Unsupported(key)),
        }
        Ok(())
    }
}

/// A TCP port; never 0.
pub(crate) fn parse_port(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|port| *port > 0)
}

impl Host {
    /// A name, an address, or (starting with `/` or `@`) a socket's directory; `None` for several.
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains(',') {
            None
        } else if text.starts_with('/') {
            Some(Self::Unix(PathBuf::from(text)))
        } else {
            Some(Self::Tcp(text.to_owned()))
        }
    }

    /// Whether it can only be this machine: a socket, `localhost` or a loopback address. A tunnel's
    /// end looks the same.
    pub fn is_this_machine(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(name) => {
                name.eq_ignore_ascii_case("localhost")
                    || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(name) => f.write_str(name),
            Self::Unix(directory) => write!(f, "{}", directory.display()),
        }
    }
}

impl SslMode {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "disable" => Ok(Self::Disable),
            "prefer" | "allow" => Ok(Self::Prefer),
            "require" => Ok(Self::Require),
            "verify-ca" | "verify-full" => {
                Err(format!("{text} is not supported yet: `require` encrypts without verifying the certificate"))
            }
            "no-verify" => Err("no-verify is not PostgreSQL's: write require".to_owned()),
            _ => Err(format!("{text:?} is none of disable, prefer, require")),
        }
    }

    /// libpq's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
        }
    }
}

impl ConnInfo {
    /// The same server, role and settings, another database.
    pub fn with_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }
    }

    /// The URL, password included, that libpq, psycopg, SQLAlchemy, sqlx and rust-postgres read alike.
    pub fn url(&self) -> String {
        uri::print(self, self.password.as_ref().map(Password::reveal))
    }

    /// The URL with the password masked, for people.
    pub fn masked_url(&self) -> String {
        uri::print(self, self.password.as_ref().map(|_| "***"))
    }

    /// Somebody else's text with this connection's password masked, as it is and as URLs have it. One of
    /// fewer than four letters stays: every word that happens to hold it would turn into stars.
    pub fn mask(&self, text: &str) -> String {
        let Some(password) = self.password.as_ref().map(Password::reveal) else { return text.to_owned() };
        if password.len() < 4 {
            return text.to_owned();
        }
        let [upper, lower] = uri::encodings(password);
        text.replace(&upper, "***").replace(&lower, "***").replace(password, "***")
    }

    /// The password as it stands in [`Self::url`].
    pub fn password_in_url(&self) -> Option<String> {
        self.password.as_ref().map(|password| uri::encode(password.reveal()))
    }

    /// libpq's environment variables for this connection, password included.
    pub fn libpq_environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("PGHOST", self.host.to_string()),
            ("PGPORT", self.port.to_string()),
            ("PGUSER", self.user.clone()),
            ("PGDATABASE", self.database.clone()),
            ("PGSSLMODE", self.ssl_mode.as_str().to_owned()),
        ];
        if let Some(password) = &self.password {
            variables.push(("PGPASSWORD", password.reveal().to_owned()));
        }
        if !self.options.is_empty() {
            variables.push(("PGOPTIONS", self.options.to_string()));
        }
        variables
    }
}

#[cfg(test)]
mod tests;
