//! Where a server listens, and the lists in which connection strings name several.

use std::{
    fmt,
    net::IpAddr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::{InvalidConnString, Parameters};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name or an address.
    Tcp(String),
    /// A name, and the address where it is (`hostaddr`): the name is not looked up, but it is what the
    /// server's certificate must hold.
    At(String, IpAddr),
    /// The directory of a Unix socket.
    Unix(PathBuf),
}

/// A server: its host and its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name, address or socket directory.
    pub host: Host,
    /// TCP port, or the number in the socket's file name.
    pub port: u16,
}

impl Host {
    /// A name, an address, or (starting with `/`) a socket's directory.
    pub fn parse(text: &str) -> Self {
        if text.starts_with('/') { Self::Unix(PathBuf::from(text)) } else { Self::Tcp(text.to_owned()) }
    }

    /// Where no host is named: the server's socket, as in libpq; where there is none, `localhost`.
    fn default_for(port: u16) -> Self {
        [DEFAULT_DIRECTORY, "/var/run/postgresql", "/tmp"]
            .map(Path::new)
            .into_iter()
            .find(|directory| is_servers_own(&directory.join(format!(".s.PGSQL.{port}"))))
            .map_or_else(|| Self::Tcp("localhost".to_owned()), |directory| Self::Unix(directory.into()))
    }

    /// Whether it can only be this machine: a socket, `localhost` or a loopback address. A tunnel's
    /// end looks the same.
    pub fn is_this_machine(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::At(_, address) => address.is_loopback(),
            Self::Tcp(name) => {
                name.eq_ignore_ascii_case("localhost")
                    || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }
}

/// The directory of sockets of the libpq that people have; password files call it `localhost`.
pub(crate) const DEFAULT_DIRECTORY: &str = if cfg!(target_os = "macos") { "/tmp" } else { "/var/run/postgresql" };

/// Whether a socket is one that nobody else can have put there: into `/tmp` everybody may put one, and wait for
/// passwords.
fn is_servers_own(socket: &Path) -> bool {
    let Ok(metadata) = socket.metadata() else { return false };
    let packaged = nix::unistd::User::from_name("postgres").ok().flatten().map(|user| user.uid.as_raw());
    [Some(0), Some(nix::unistd::geteuid().as_raw()), packaged].contains(&Some(metadata.uid()))
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(name) | Self::At(name, _) => f.write_str(name),
            Self::Unix(directory) => write!(f, "{}", directory.display()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Tcp(name) if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

impl Address {
    /// Every server that `host`, `hostaddr` and `port` name, in order, at least one: lists parted by commas,
    /// one port for all or one for each. An empty member is the default.
    pub fn all(parameters: &Parameters) -> Result<Vec<Self>, InvalidConnString> {
        let list = |name| parameters.get(name).map(|text| text.split(',').collect::<Vec<_>>());
        let hosts = list("host");
        let addresses = list("hostaddr");
        let ports = ports(parameters.get("port").unwrap_or("5432"))?;
        let count = hosts.as_ref().or(addresses.as_ref()).map_or(1, Vec::len);
        if addresses.as_ref().is_some_and(|addresses| addresses.len() != count) {
            return Err(InvalidConnString::value("hostaddr", format!("must name as many servers as host, {count}")));
        }
        if ports.len() > 1 && ports.len() != count {
            return Err(InvalidConnString::value(
                "port",
                format!("names {} ports for {count} hosts: give one for all, or one for each", ports.len()),
            ));
        }
        (0..count)
            .map(|at| {
                let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
                let member = |list: &Option<Vec<&str>>| list.as_ref().map_or("", |list| list[at]).to_owned();
                Ok(Self { host: host(&member(&hosts), &member(&addresses), port)?, port })
            })
            .collect()
    }

    /// Servers as the parameters `host`, `hostaddr` and `port` name them.
    pub(crate) fn print(addresses: &[Self]) -> [(&'static str, String); 3] {
        let list = |each: fn(&Self) -> String| addresses.iter().map(each).collect::<Vec<_>>().join(",");
        let is_mapped = |address: &Self| matches!(address.host, Host::At(..));
        let hostaddr = |address: &Self| match &address.host {
            Host::At(_, ip) => ip.to_string(),
            // Beside one that has an address: what it is reached by anyway.
            Host::Tcp(name) if name.parse::<IpAddr>().is_ok() => name.clone(),
            _ => String::new(),
        };
        [
            ("host", list(|address| address.host.to_string())),
            ("hostaddr", if addresses.iter().any(is_mapped) { list(hostaddr) } else { String::new() }),
            ("port", list(|address| address.port.to_string())),
        ]
    }
}

fn host(name: &str, address: &str, port: u16) -> Result<Host, InvalidConnString> {
    if name.starts_with('@') {
        return Err(InvalidConnString::value("host", "is an abstract socket, which is not reached here: give a path"));
    }
    if name.contains(':')
        && !name.starts_with('/')
        && name.split('%').next().is_none_or(|ip| ip.parse::<std::net::Ipv6Addr>().is_err())
    {
        return Err(InvalidConnString::value("host", "holds a `:`, and is not an address: a port goes into port"));
    }
    if name.split_once('%').is_some_and(|(ip, _)| ip.parse::<std::net::Ipv6Addr>().is_ok()) {
        return Err(InvalidConnString::value("host", "has a zone (`%eth0`), which is not reached here: give a name"));
    }
    if address.is_empty() {
        return Ok(if name.is_empty() { Host::default_for(port) } else { Host::parse(name) });
    }
    let ip: IpAddr = address
        .parse()
        .map_err(|_| InvalidConnString::value("hostaddr", "is not a valid IP address: put a name into host"))?;
    Ok(if name.is_empty() || name == address { Host::Tcp(ip.to_string()) } else { Host::At(name.to_owned(), ip) })
}

/// TCP ports, parted by commas; an empty one is 5432, none is 0.
fn ports(text: &str) -> Result<Vec<u16>, InvalidConnString> {
    text.split(',')
        .map(|part| match part {
            "" => Ok(5432),
            part => part.trim().parse().ok().filter(|port| *port > 0).ok_or_else(|| {
                InvalidConnString::value("port", "is not a number from 1 to 65535, or a list of such numbers")
            }),
        })
        .collect()
}
