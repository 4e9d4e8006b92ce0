//! From a connection string to a session.

use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};

use crate::error::{Error, Result};
use crate::tls::Unverified;

/// For a server that takes the connection but never answers; `connect_timeout` in the URL wins.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens a session.
///
/// `url` is a URI or `key=value` pairs, as the `postgres` crate reads them: `sslmode` is disable, prefer (the
/// default) or require, which encrypts without verifying whom we talk to, as in libpq. `?options=-csearch_path=aura`
/// may stand unencoded.
pub fn connect(url: &str) -> Result<Client> {
    let config = read(url)?;
    let connected = match config.get_ssl_mode() {
        SslMode::Disable => config.connect(NoTls),
        _ => config.connect(Unverified::new()),
    };
    connected.map_err(|cause| Error::Connect { server: describe(&config), cause })
}

/// The connection string, understood. Its errors repeat no part of it that may be a piece of the password.
fn read(url: &str) -> Result<Config> {
    // A line break at the end (`$(cat file)` in quotes, an env file) would become part of the database's name.
    let url = url.trim();
    let is_uri = url.contains("://");
    if is_uri && !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(Error::Url("it begins with neither postgres:// nor postgresql://".to_owned()));
    }
    if is_uri && url.matches('@').count() > 1 {
        // The driver would take what follows the first one for the host, and show it.
        return Err(Error::Url("it holds more than one @; within a name or a password write it as %40".to_owned()));
    }
    let mut config: Config = url.parse().map_err(|error: postgres::Error| {
        let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        // In key=value pairs the second word of an unquoted password counts as an option's name: do not show it.
        let tellable = is_uri || why.starts_with("invalid value for option");
        let why = if tellable { why } else { "neither a postgres:// URI nor key=value pairs".to_owned() };
        Error::Url(why)
    })?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("aura");
    }
    Ok(config)
}

/// `user@host:port/database`, for errors.
fn describe(config: &Config) -> String {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let ports = config.get_ports().iter().map(ToString::to_string).collect::<Vec<_>>();
    format!(
        "{}@{}:{}/{}",
        config.get_user().unwrap_or_default(),
        hosts.collect::<Vec<_>>().join(","),
        if ports.is_empty() { "5432".to_owned() } else { ports.join(",") },
        config.get_dbname().or(config.get_user()).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::{describe, read};

    #[test]
    fn every_spelling_of_the_path_is_read() {
        for options in ["-csearch_path=aura", "-csearch_path%3Daura", "-c%20search_path%3Daura"] {
            let config = read(&format!("postgres://u:p@h:5433/d?options={options}\n")).unwrap();
            assert!(config.get_options().unwrap().ends_with("search_path=aura"), "{options}");
        }
    }

    #[test]
    fn a_server_is_described_without_its_password() {
        assert_eq!(describe(&read("postgres://u:secret@h:5433/d").unwrap()), "u@h:5433/d");
        assert_eq!(describe(&read("host=/run user=u password=secret").unwrap()), "u@/run:5432/u");
    }

    #[test]
    fn errors_hold_no_piece_of_a_password() {
        for url in [
            "postgres://u:sec@ret@h/d",
            "postgres://u:sec?ret=1@ret@h/d",
            "postgres://u:secret@h:port/d",
            "postgresql+psycopg2://u:secret@h/d",
            "host=h password=sec ret=1",
            "host=h password=sec ret",
        ] {
            let error = read(url).err().unwrap_or_else(|| panic!("{url} was read")).to_string();
            assert!(!error.contains("sec") && !error.contains("ret"), "{error}");
        }
    }
}
