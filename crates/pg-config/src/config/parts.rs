//! What one source says of the connection, or several together: libpq's parameters, each with who said it.

mod reading;

use std::collections::BTreeMap;

use pg_connect::{Address, ConnInfo, InvalidConnString, Parameters};

use super::{ConfigError, Sourced, placeholder};
use crate::{Identifier, Project, Source};

/// Our own keys, and libpq's parameters that they are.
const OWN: &[(&str, &str, &str)] = &[
    ("DB_HOST", "host", "host"),
    ("DB_PORT", "port", "port"),
    ("DB_USER", "user", "role"),
    ("DB_PASSWORD", "password", "password"),
    ("DB_NAME", "dbname", "database"),
];

/// Files.
const PATHS: &[&str] = &["sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "passfile"];

/// Where a server is.
pub(super) const ADDRESS: &[&str] = &["host", "hostaddr", "port"];

/// How a connection to a server is encrypted.
pub(super) const TLS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcrl",
    "sslcrldir",
    "sslnegotiation",
    "sslsni",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "channel_binding",
];

/// What means the same on every server; all else that a source says is for the server that it names.
pub(super) const FOR_ANY_SERVER: &[&str] = &[
    "user",
    "dbname",
    "application_name",
    "fallback_application_name",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "passfile",
];

/// libpq's parameters as one source says them, or several; each value remembers who said it.
#[derive(Clone, Default)]
pub(super) struct Parts {
    pub(super) url: Option<Source>,
    values: BTreeMap<&'static str, Sourced<String>>,
    /// Of libpq's variables, those that could change nothing here.
    passed_by: Vec<String>,
}

impl Parts {
    pub(super) fn says(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The variables that could change nothing, each with the reason.
    pub(super) fn passed_by(&self) -> &[String] {
        &self.passed_by
    }

    /// These parameters alone, of the same URL.
    pub(super) fn only(&self, names: &[&str]) -> Self {
        let values = self.values.iter().filter(|(name, _)| names.contains(name));
        let values = values.map(|(name, found)| (*name, found.clone())).collect();
        Self { url: self.url.clone(), values, passed_by: Vec::new() }
    }

    pub(super) fn set(&mut self, name: &'static str, value: &str, source: Source) -> Result<(), ConfigError> {
        // A name's own error shows the name.
        if ["user", "dbname"].contains(&name)
            && !value.is_empty()
            && let Err(error) = Identifier::new(value)
        {
            return Err(ConfigError::Identifier(source, error));
        }
        let refused = match name {
            "user" | "dbname" => placeholder::refuse(value),
            // Several hosts are one value.
            "host" => value.split(',').try_for_each(placeholder::refuse),
            "password" => placeholder::refuse_password(value),
            _ => Ok(()),
        };
        refused.map_err(|reason| ConfigError::Value(source.clone(), reason))?;
        let mut checked = Parameters::default();
        checked.set(name, value).map_err(|error| ConfigError::ConnString(source.clone(), error))?;
        for (name, value) in checked.iter() {
            self.values.insert(name, Sourced { value: value.to_owned(), source: source.clone() });
        }
        Ok(())
    }

    /// Takes a lower source's value wherever nothing is said.
    pub(super) fn fill(&mut self, lower: Self) {
        self.url = self.url.take().or(lower.url);
        self.passed_by.extend(lower.passed_by);
        for (name, found) in lower.values {
            self.values.entry(name).or_insert(found);
        }
    }

    /// The same with a lower source's values wherever nothing is said.
    pub(super) fn filled(mut self, lower: &Self) -> Self {
        self.fill(lower.clone());
        self
    }

    /// Takes a value out.
    pub(super) fn take(&mut self, name: &str) -> Option<Sourced<String>> {
        self.values.remove(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Sourced<String>> {
        self.values.get(name)
    }

    /// Every parameter that is said.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.values.keys().copied().collect()
    }

    /// Whether a host is named, and not only a port.
    pub(super) fn names_a_host(&self) -> bool {
        ["host", "hostaddr"].iter().any(|name| self.values.contains_key(name))
    }

    pub(super) fn names_a_server(&self) -> bool {
        self.url.is_some() || self.names_a_host() || self.says("port")
    }

    /// The servers that are named. Without a host a URL means libpq's default, the local socket, and a port alone,
    /// which is `DB_PORT`, TCP.
    pub(super) fn addresses(&self) -> Result<Vec<Address>, ConfigError> {
        let mut parameters = self.parameters()?;
        if self.url.is_none() && parameters.get("host").is_none() && parameters.get("hostaddr").is_none() {
            self.put(&mut parameters, "host", "localhost")?;
        }
        Address::all(&parameters).map_err(|error| self.wrong(error))
    }

    pub(super) fn parameters(&self) -> Result<Parameters, ConfigError> {
        let mut parameters = Parameters::default();
        for (name, found) in &self.values {
            self.put(&mut parameters, name, &found.value)?;
        }
        Ok(parameters)
    }

    fn put(&self, parameters: &mut Parameters, name: &str, value: &str) -> Result<(), ConfigError> {
        parameters.set(name, value).map_err(|error| self.wrong(error))
    }

    /// The app's connection: complete but for the server, which may be one that we start.
    pub(super) fn app(&self, project: &Project, parameters: &Parameters) -> Result<ConnInfo, ConfigError> {
        let mut parameters = parameters.clone();
        for (name, default) in [("user", &project.role), ("dbname", &project.database)] {
            if parameters.get(name).is_none() {
                self.put(&mut parameters, name, default)?;
            }
        }
        let addresses = Address::all(&parameters).map_err(|error| self.wrong(error))?;
        ConnInfo::new(&addresses[0], &parameters).map_err(|error| self.wrong(error))
    }

    /// An error of a value, with who said it.
    fn wrong(&self, error: InvalidConnString) -> ConfigError {
        let source = error.parameter().map(|name| self.source(name)).filter(|source| *source != Source::Default);
        ConfigError::ConnString(source.or(self.url.clone()).unwrap_or(Source::Default), error)
    }

    pub(super) fn source(&self, name: &str) -> Source {
        self.values.get(name).map_or(Source::Default, |found| found.source.clone())
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        let mut sources: Vec<&Source> =
            self.url.iter().chain(self.values.values().map(|found| &found.source)).collect();
        let mut seen = Vec::new();
        sources.retain(|source| {
            let is_new = !seen.contains(source);
            seen.push(*source);
            is_new
        });
        sources.into_iter()
    }

    pub(super) fn identifier(&self, name: &str, default: &str) -> Result<Sourced<Identifier>, ConfigError> {
        let found = self.values.get(name).filter(|found| !found.value.is_empty());
        let (value, source) =
            found.map_or((default, Source::Default), |found| (found.value.as_str(), found.source.clone()));
        match Identifier::new(value) {
            Ok(value) => Ok(Sourced { value, source }),
            Err(error) => Err(ConfigError::Identifier(source, error)),
        }
    }

    /// The parameters that are not secret and have no key of ours.
    pub(super) fn further(&self, app: &ConnInfo) -> Vec<(&'static str, Sourced<String>)> {
        let own = OWN.iter().map(|(_, name, _)| *name).collect::<Vec<_>>();
        let is_further = |name: &&'static str| !own.contains(name) && !Parameters::is_secret(name);
        self.values
            .iter()
            .filter(|(name, found)| is_further(name) && !found.value.is_empty())
            .map(|(name, found)| match *name {
                // As they are understood.
                "options" => ("options", Sourced { value: app.options.to_string(), source: found.source.clone() }),
                name => (name, found.clone()),
            })
            .collect()
    }
}
