//! Which server, role, password and database are meant, where many places may say so.

use std::{path::Path, time::Duration};

use super::{
    Address, ConfigError, SessionSettings, Sourced,
    administrator::{self, OwnServer},
};
use crate::{
    ConnInfo, ConnString, Environment, Host, Identifier, Options, Password, Project, Source, SslMode,
    conninfo::parse_port, environment::Layer,
};

/// What the sources together say about the connection.
pub(super) struct Connection {
    pub(super) named: Option<Sourced<Address>>,
    pub(super) port_source: Source,
    pub(super) role: Sourced<Identifier>,
    pub(super) password: Option<Sourced<Password>>,
    pub(super) database: Sourced<Identifier>,
    pub(super) session: SessionSettings,
    pub(super) admin: Option<Sourced<ConnInfo>>,
    pub(super) ignored: Vec<String>,
}

/// What one source says; each value remembers the key that said it.
#[derive(Default)]
struct Parts {
    url: Option<Source>,
    host: Option<Sourced<Host>>,
    port: Option<Sourced<u16>>,
    user: Option<Sourced<String>>,
    password: Option<Sourced<Password>>,
    database: Option<Sourced<String>>,
    options: Option<Sourced<Options>>,
    ssl_mode: Option<Sourced<SslMode>>,
    application_name: Option<String>,
    connect_timeout: Option<Duration>,
}

impl Connection {
    pub(super) fn resolve(project: &Project, environment: &Environment) -> Result<Self, ConfigError> {
        let mut ignored = Vec::new();
        let mut parts = Parts::default();
        let mut servers = Vec::new();
        for layer in Layer::ALL {
            let mut lower = Parts::read(environment, layer)?;
            let ssl_mode = lower.ssl_mode.as_ref().map(|found| found.value);
            servers.push(OwnServer { layer, named: named(&lower).map(|found| found.value), ssl_mode });
            // A URL is a whole: a lower source's password must not be sent to a higher source's host.
            if let Some(url) = &parts.url {
                ignored.extend(lower.sources().map(|source| format!("{source}: {url} replaces it")));
            } else {
                ignored.extend(lower.forget_secrets_for_another_server(&parts));
                parts = parts.over(lower);
            }
        }
        let admin_url = environment
            .get("ADMIN_DATABASE_URL")
            .map(|(text, source)| match ConnString::parse(text) {
                Ok(value) => Ok(Sourced { value, source }),
                Err(error) => Err(ConfigError::ConnString(source, error)),
            })
            .transpose()?;
        // A URL without a host names a server too: libpq's default, the local socket.
        let names_a_server = parts.host.is_some() || parts.port.is_some() || parts.url.is_some();
        if names_a_server || ["PGHOST", "PGSERVICE"].iter().any(|key| environment.get(key).is_some()) {
            parts = parts.over(Parts::of_libpq(environment, Layer::Process)?);
            let mut lower = Parts::of_libpq(environment, Layer::File)?;
            ignored.extend(lower.forget_secrets_for_another_server(&parts));
            parts = parts.over(lower);
        }
        if let Some(admin) = &admin_url
            && !names_a_server
            && parts.host.is_none()
        {
            parts.host = admin.value.host.clone().map(|value| Sourced { value, source: admin.source.clone() });
            parts.port = admin.value.port.map(|value| Sourced { value, source: admin.source.clone() });
        }
        let named = named(&parts);
        let port_source = source_of(parts.port.as_ref());
        let session = SessionSettings {
            options_source: source_of(parts.options.as_ref()),
            options: parts.options.map(|found| found.value).unwrap_or_default(),
            ssl_mode_source: source_of(parts.ssl_mode.as_ref()),
            ssl_mode: parts.ssl_mode.map(|found| found.value).unwrap_or_default(),
            application_name: parts.application_name,
            connect_timeout: parts.connect_timeout,
        };
        let admin = admin_url.map(|mut url| {
            let own = servers.iter().find(|own| environment.source(own.layer, "ADMIN_DATABASE_URL") == url.source);
            ignored.extend(own.and_then(|own| administrator::keep_to_own_server(&mut url, own, named.as_ref())));
            let value = administrator::connection(url.value, named.as_ref(), &session);
            Sourced { value, source: url.source }
        });
        Ok(Self {
            role: identifier(parts.user, project.role)?,
            password: parts.password,
            database: identifier(parts.database, project.database)?,
            named,
            port_source,
            session,
            admin,
            ignored,
        })
    }
}

impl Parts {
    /// What one source says with our own keys. `DATABASE_URL` and `DB_*` may repeat each other, as they
    /// do in the seed document, and must not differ.
    fn read(environment: &Environment, layer: Layer) -> Result<Self, ConfigError> {
        let single = |key: &'static str| {
            environment
                .at(layer, key)
                .map(|value| Sourced { value: value.to_owned(), source: environment.source(layer, key) })
        };
        let mut parts = Self {
            host: single("DB_HOST").map(host).transpose()?,
            port: single("DB_PORT").map(port).transpose()?,
            user: single("DB_USER"),
            password: single("DB_PASSWORD")
                .map(|found| Sourced { value: Password::new(found.value), source: found.source }),
            database: single("DB_NAME"),
            ..Self::default()
        };
        let Some(text) = environment.at(layer, "DATABASE_URL") else { return Ok(parts) };
        let source = environment.source(layer, "DATABASE_URL");
        let url = ConnString::parse(text).map_err(|error| ConfigError::ConnString(source.clone(), error))?;
        // With a port in the DB_* parts, a URL without one means the default, as libpq would.
        let url_port = url.port.or(parts.port.is_some().then_some(5432));
        merge(&mut parts.host, url.host.clone(), &source, "host")?;
        merge(&mut parts.port, url_port, &source, "port")?;
        merge(&mut parts.user, url.user.clone(), &source, "role")?;
        merge(&mut parts.password, url.password.clone(), &source, "password")?;
        merge(&mut parts.database, url.database.clone(), &source, "database")?;
        parts.options = url.options.map(|value| Sourced { value, source: source.clone() });
        parts.ssl_mode = url.ssl_mode.map(|value| Sourced { value, source: source.clone() });
        parts.application_name = url.application_name;
        parts.connect_timeout = url.connect_timeout;
        parts.url = Some(source);
        Ok(parts)
    }

    /// What libpq's own variables of one source say; they fill what is still open, and only where a server is named.
    fn of_libpq(environment: &Environment, layer: Layer) -> Result<Self, ConfigError> {
        for key in ["PGSERVICE", "PGHOSTADDR", "PGSSLROOTCERT", "PGPASSFILE", "PGSSLCERT", "PGSSLKEY", "PGSSLCRL"] {
            if environment.get(key).is_some() {
                return Err(ConfigError::Unsupported(key));
            }
        }
        let single = |key: &'static str| {
            let value = environment.at(layer, key)?.to_owned();
            Some(Sourced { value, source: environment.source(layer, key) })
        };
        let set = |key: &'static str, name: &'static str| {
            let mut session = ConnString::default();
            let Some(Sourced { value, source }) = single(key) else { return Ok((session, Source::Default)) };
            session.set(name, value).map_err(|error| ConfigError::ConnString(source.clone(), error))?;
            Ok((session, source))
        };
        let (options, options_source) = set("PGOPTIONS", "options")?;
        let (ssl_mode, ssl_mode_source) = set("PGSSLMODE", "sslmode")?;
        let (connect_timeout, _) = set("PGCONNECT_TIMEOUT", "connect_timeout")?;
        Ok(Self {
            url: None,
            host: single("PGHOST").map(host).transpose()?,
            port: single("PGPORT").map(port).transpose()?,
            user: single("PGUSER"),
            password: single("PGPASSWORD")
                .map(|found| Sourced { value: Password::new(found.value), source: found.source }),
            database: single("PGDATABASE"),
            options: options.options.map(|value| Sourced { value, source: options_source }),
            ssl_mode: ssl_mode.ssl_mode.map(|value| Sourced { value, source: ssl_mode_source }),
            application_name: None,
            connect_timeout: connect_timeout.connect_timeout,
        })
    }

    /// These values, and where they are silent the lower source's.
    fn over(self, lower: Self) -> Self {
        Self {
            url: self.url.or(lower.url),
            host: self.host.or(lower.host),
            port: self.port.or(lower.port),
            user: self.user.or(lower.user),
            password: self.password.or(lower.password),
            database: self.database.or(lower.database),
            options: self.options.or(lower.options),
            ssl_mode: self.ssl_mode.or(lower.ssl_mode),
            application_name: self.application_name.or(lower.application_name),
            connect_timeout: self.connect_timeout.or(lower.connect_timeout),
        }
    }

    /// Drops password, `sslmode` and `options` where this lower source says them for a server of its own
    /// and a higher one names another; gives what was dropped, and why.
    fn forget_secrets_for_another_server(&mut self, higher: &Self) -> Vec<String> {
        let Some(own) = named(self) else { return Vec::new() };
        let by = match (&higher.host, &higher.port) {
            (Some(host), _) if host.value != own.value.host => &host.source,
            (_, Some(port)) if port.value != own.value.port => &port.source,
            _ => return Vec::new(),
        };
        // What the higher source says itself counts anyway.
        let password = self.password.take().filter(|_| higher.password.is_none()).map(|found| found.source);
        let ssl_mode = self.ssl_mode.take().map(|found| found.source);
        let options = self.options.take().map(|found| found.source);
        [("password", password), ("sslmode", ssl_mode), ("options", options)]
            .into_iter()
            .filter_map(|(what, source)| Some(format!("the {what} of {}: {by} names another server", source?)))
            .collect()
    }

    fn sources(&self) -> impl Iterator<Item = &Source> {
        let url = self.url.as_ref();
        let mut sources: Vec<&Source> = [
            url,
            self.host.as_ref().map(|found| &found.source),
            self.port.as_ref().map(|found| &found.source),
            self.user.as_ref().map(|found| &found.source),
            self.password.as_ref().map(|found| &found.source),
            self.database.as_ref().map(|found| &found.source),
        ]
        .into_iter()
        .flatten()
        .collect();
        sources.dedup();
        sources.into_iter()
    }
}

/// Puts a URL's value where a single key may have put one already.
fn merge<T: PartialEq>(
    part: &mut Option<Sourced<T>>,
    value: Option<T>,
    url: &Source,
    what: &'static str,
) -> Result<(), ConfigError> {
    let Some(value) = value else { return Ok(()) };
    match part {
        Some(found) if found.value != value => {
            Err(ConfigError::Contradiction { url: url.clone(), part: found.source.clone(), what })
        }
        _ => {
            *part = Some(Sourced { value, source: url.clone() });
            Ok(())
        }
    }
}

fn host(found: Sourced<String>) -> Result<Sourced<Host>, ConfigError> {
    match Host::parse(&found.value) {
        Some(value) => Ok(Sourced { value, source: found.source }),
        None => Err(ConfigError::Value(found.source, "several hosts are not supported: give one".to_owned())),
    }
}

fn port(found: Sourced<String>) -> Result<Sourced<u16>, ConfigError> {
    match parse_port(&found.value) {
        Some(value) => Ok(Sourced { value, source: found.source }),
        None => Err(ConfigError::Value(found.source, format!("{:?} is no port from 1 to 65535", found.value))),
    }
}

fn identifier(found: Option<Sourced<String>>, default: &str) -> Result<Sourced<Identifier>, ConfigError> {
    let Sourced { value, source } =
        found.unwrap_or_else(|| Sourced { value: default.to_owned(), source: Source::Default });
    match Identifier::new(value) {
        Ok(value) => Ok(Sourced { value, source }),
        Err(error) => Err(ConfigError::Identifier(source, error)),
    }
}

/// The server that is named, if one is.
fn named(parts: &Parts) -> Option<Sourced<Address>> {
    let port = parts.port.as_ref().map_or(5432, |found| found.value);
    match (&parts.host, &parts.url, &parts.port) {
        (Some(host), ..) => {
            Some(Sourced { value: Address { host: host.value.clone(), port }, source: host.source.clone() })
        }
        (None, Some(url), _) => {
            Some(Sourced { value: Address { host: default_host(port), port }, source: url.clone() })
        }
        (None, None, Some(found)) => Some(Sourced {
            value: Address { host: Host::Tcp("localhost".to_owned()), port },
            source: found.source.clone(),
        }),
        (None, None, None) => None,
    }
}

fn source_of<T>(found: Option<&Sourced<T>>) -> Source {
    found.map_or(Source::Default, |found| found.source.clone())
}

/// What libpq takes where no host is named: the server's socket, or `localhost` where there is none.
pub(super) fn default_host(port: u16) -> Host {
    ["/var/run/postgresql", "/tmp"]
        .into_iter()
        .find(|directory| Path::new(directory).join(format!(".s.PGSQL.{port}")).exists())
        .map_or_else(|| Host::Tcp("localhost".to_owned()), |directory| Host::Unix(directory.into()))
}
