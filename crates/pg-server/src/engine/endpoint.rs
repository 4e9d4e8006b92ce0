//! An engine's address: a socket, or a host and a port.

use std::{fmt, net::IpAddr, path::PathBuf};

use super::EngineError;

/// Where an engine without TLS listens, if nobody says otherwise.
pub(super) const PLAIN_PORT: u16 = 2375;
/// Where one with TLS does.
pub(super) const TLS_PORT: u16 = 2376;

/// An engine's address. `Display` is the form that `DOCKER_HOST` has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A socket's absolute path.
    Unix(PathBuf),
    /// A host, an IPv6 address without brackets, and a port.
    Tcp { host: String, port: u16 },
}

const FORMS: &str = "the forms are unix:///path and tcp://host:port";

impl Endpoint {
    /// As the docker command reads it: without a scheme it is `tcp`, without a host it is `localhost`.
    /// `http` is taken too. The error's reason is a predicate.
    pub(super) fn parse(text: &str, default_port: u16) -> Result<Self, EngineError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        match scheme {
            "unix" if rest.is_empty() => Ok(Self::Unix("/var/run/docker.sock".into())),
            "unix" if rest.starts_with('/') => Ok(Self::Unix(rest.into())),
            "unix" => Err(EngineError::new(
                "its path is relative",
                format!("an absolute one has a third slash: unix:///{rest}"),
            )),
            "tcp" | "http" if rest.starts_with('/') => {
                Err(EngineError::new("that is a path", format!("a socket is written unix://{rest}")))
            }
            "tcp" | "http" => tcp(rest.strip_suffix('/').unwrap_or(rest), default_port),
            "https" => Err(EngineError::new(
                "https:// is not supported here",
                "write tcp://, and set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH",
            )),
            // Through a forwarded socket the engine answers, but the ports that it publishes are there.
            "ssh" => Err(EngineError::new(
                "ssh is not supported here",
                "name an engine on this machine, or start PostgreSQL there and name it in DATABASE_URL",
            )),
            "npipe" => Err(EngineError::new("that is a pipe of Windows", FORMS)),
            "fd" => Err(EngineError::new("that is for the engine itself to listen at", FORMS)),
            _ => Err(EngineError::new("that is not a valid address of an engine", FORMS)),
        }
    }

    /// The host, if it is another than this one.
    pub(super) fn remote_host(&self) -> Option<&str> {
        match self {
            Self::Tcp { host, .. } if !is_loopback(host) => Some(host),
            _ => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

fn tcp(text: &str, default_port: u16) -> Result<Endpoint, EngineError> {
    if text.contains('/') {
        return Err(EngineError::new("a path after the port is not supported here", FORMS));
    }
    let (host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or(port))),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None => default_port,
        Some(port) => match port.parse() {
            Ok(0) | Err(_) => return Err(EngineError::new(format!("{port:?} is not a valid port"), FORMS)),
            Ok(port) => port,
        },
    };
    let known = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
    match host {
        "" => Ok(Endpoint::Tcp { host: "localhost".to_owned(), port }),
        host if host.chars().all(known) => Ok(Endpoint::Tcp { host: host.to_owned(), port }),
        host => Err(EngineError::new(format!("{host:?} is not a valid host"), FORMS)),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        match Endpoint::parse(text, PLAIN_PORT) {
            Ok(endpoint) => endpoint.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_the_docker_command_takes() {
        for (text, expected) in [
            ("unix:///tmp/a b.sock", "unix:///tmp/a b.sock"),
            ("unix://", "unix:///var/run/docker.sock"),
            ("tcp://10.0.0.1:2999", "tcp://10.0.0.1:2999"),
            ("tcp://engine.example/", "tcp://engine.example:2375"),
            ("tcp://:2999", "tcp://localhost:2999"),
            ("tcp://", "tcp://localhost:2375"),
            ("10.0.0.1:2999", "tcp://10.0.0.1:2999"),
            ("localhost", "tcp://localhost:2375"),
            ("tcp://[::1]:2999", "tcp://[::1]:2999"),
            ("tcp://[::1]", "tcp://[::1]:2375"),
            ("http://h:1", "tcp://h:1"),
        ] {
            assert_eq!(normal(text), expected, "{text}");
            assert_eq!(normal(expected), expected);
        }
        assert_eq!(Endpoint::parse("h", TLS_PORT).unwrap().to_string(), "tcp://h:2376");
    }

    #[test]
    fn the_rest_is_refused_by_name() {
        for (text, expected) in [
            ("ssh://ann@far:22", "ssh is not supported here\n  help: name an engine on this machine"),
            ("npipe:////./pipe/docker_engine", "that is a pipe of Windows\n  help: the forms are"),
            ("fd://", "that is for the engine itself"),
            ("https://h:2376", "https:// is not supported here\n  help: write tcp://, and set DOCKER_TLS_VERIFY"),
            ("ftp://x", "that is not a valid address of an engine\n  help: the forms are"),
            ("TCP://x", "that is not a valid address of an engine"),
            ("/tmp/x.sock", "that is a path\n  help: a socket is written unix:///tmp/x.sock"),
            (
                "unix://tmp/x.sock",
                "its path is relative\n  help: an absolute one has a third slash: unix:///tmp/x.sock",
            ),
            ("unix:/tmp/x.sock", "a path after the port"),
            ("tcp://h:1/base", "a path after the port"),
            ("tcp://h:x", "\"x\" is not a valid port"),
            ("tcp://h:0", "\"0\" is not a valid port"),
            ("tcp://h:99999", "\"99999\" is not a valid port"),
            ("tcp://u@h:1", "\"u@h\" is not a valid host"),
            ("a\u{1b}b", "\"a\\u{1b}b\" is not a valid host"),
        ] {
            let said = normal(text);
            assert!(said.starts_with(expected), "{text}: {said}");
        }
    }

    #[test]
    fn which_are_elsewhere() {
        for (text, expected) in [
            ("unix:///x", None),
            ("tcp://localhost", None),
            ("tcp://127.0.0.9:1", None),
            ("tcp://[::1]:1", None),
            ("tcp://[fe80::2]:1", Some("fe80::2")),
            ("tcp://10.0.0.1:1", Some("10.0.0.1")),
            ("tcp://engine.example", Some("engine.example")),
        ] {
            assert_eq!(Endpoint::parse(text, PLAIN_PORT).unwrap().remote_host(), expected, "{text}");
        }
    }
}
