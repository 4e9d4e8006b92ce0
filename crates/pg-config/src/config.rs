//! The configuration: complete, typed, resolved once from flags, environment, `.env` and defaults.

mod administrator;
mod connection;
mod layers;
mod migrations;
mod parts;
mod placeholder;

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use glob::Pattern;
use thiserror::Error;

use pg_connect::{Address, Candidates, ConnInfo, InvalidConnString, Parameters, Passfile, Password, SslMode};

use self::connection::Connection;
pub use self::migrations::Migrations;
use crate::{Environment, Identifier, InvalidIdentifier, Project, Source, misspelled};

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Its source.
    pub source: Source,
}

/// Everything that a project expects of its database, and the server that is named, if one is.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the project is called.
    pub project: Project,
    /// Which rung of the ladder may serve.
    pub server: Sourced<ServerChoice>,
    /// The server that is named, if one is; several that hold the same database, in libpq's order.
    pub named: Option<Sourced<Vec<Address>>>,
    /// Where its port came from, which may be another source than the host's.
    pub port_source: Source,
    /// The app's role.
    pub role: Sourced<Identifier>,
    /// Its password, where one is said.
    pub password: Option<Sourced<Password>>,
    /// The app's database.
    pub database: Sourced<Identifier>,
    /// The app's schema.
    pub schema: Sourced<Identifier>,
    /// The password file, for passwords that no other source gives.
    pub passfile: Passfile,
    /// libpq's parameters besides these, as they count.
    pub parameters: Vec<(&'static str, Sourced<String>)>,
    /// A connection that may create roles and databases, to each server that it may mean.
    pub admin: Option<Sourced<Vec<ConnInfo>>>,
    /// Extensions that the app needs.
    pub extensions: Sourced<Vec<Identifier>>,
    /// Further roles that read and write everything in the schema.
    pub write_roles: Sourced<Vec<Identifier>>,
    /// Further roles that read everything in the schema.
    pub read_roles: Sourced<Vec<Identifier>>,
    /// What may lie in the schema besides that which the migrations make.
    pub drift_ignore: Sourced<Vec<Pattern>>,
    /// Further schemas that the app or its tools keep on purpose.
    pub other_schemas: Sourced<Vec<Identifier>>,
    /// The app's migrations.
    pub migrations: Migrations,
    /// The container's image.
    pub image: Sourced<String>,
    /// What the servers that we start keep through a crash of the machine.
    pub durability: Sourced<Durability>,
    /// Where `initdb` and `postgres` are.
    pub bin_dir: Option<Sourced<PathBuf>>,
    /// Where the servers that we start keep their files.
    pub data_dir: Sourced<PathBuf>,
    /// What was said and does not count, each with the reason.
    pub ignored: Vec<String>,
    /// What was said and has nothing to count for, each with the reason.
    pub unused: Vec<String>,
    /// Names that are not read and look like keys, each with its place and the key that is meant.
    pub misspelled: Vec<String>,
    /// The app's connection, but for the server.
    app: ConnInfo,
}

/// `--server` and `DB_SERVER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerChoice {
    /// The first rung of the ladder that serves.
    Auto,
    /// The named server.
    Env,
    /// A container.
    Container,
    /// A private cluster from installed binaries.
    Local,
}

impl ServerChoice {
    /// Whether it can only be a server that we start, so that what was said for a named one does not count.
    pub fn is_started(self) -> bool {
        matches!(self, Self::Container | Self::Local)
    }
}

/// `DB_DURABLE`: what a server that we start keeps through a crash of its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Perhaps nothing: it is started for development, and quick.
    Development,
    /// All that was committed: PostgreSQL's own defaults.
    Durable,
}

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A connection string that cannot be read.
    #[error("{source_}: {reason}", source_ = .0, reason = .1)]
    ConnString(Source, InvalidConnString),
    /// Two values of one source that contradict each other.
    #[error("{url} and {part} contradict each other about the {what}\n  help: keep one of them")]
    Contradiction {
        /// The source of the connection string.
        url: Source,
        /// The source of the single value.
        part: Source,
        /// What they disagree about.
        what: &'static str,
    },
    /// A name that PostgreSQL cannot hold.
    #[error("{0}: {1}")]
    Identifier(Source, InvalidIdentifier),
    /// A value that its key does not allow.
    #[error("{source_}: {reason}", source_ = .0, reason = .1)]
    Value(Source, String),
}

impl Config {
    /// Resolves the configuration; `server` is the flag `--server`.
    pub fn resolve(
        project: &Project,
        environment: &Environment,
        server: Option<ServerChoice>,
    ) -> Result<Self, ConfigError> {
        let server = match server {
            Some(value) => Sourced { value, source: Source::Flag("--server") },
            None => parsed(environment, "DB_SERVER", ServerChoice::from_str)?
                .unwrap_or(Sourced { value: ServerChoice::Auto, source: Source::Default }),
        };
        let connection = Connection::resolve(project, environment)?;
        let schema = parsed(environment, "DB_SCHEMA", schema_name)?
            .unwrap_or(Sourced { value: Identifier::from_catalog(project.schema.as_str()), source: Source::Default });
        let extensions = parsed(environment, "DB_EXTENSIONS", |text| list(text).map(identifier).collect())?
            .unwrap_or(Sourced { value: Vec::new(), source: Source::Default });
        let [write_roles, read_roles] = further_roles(environment, &connection.role.value)?;
        let drift_ignore = parsed(environment, "DB_DRIFT_IGNORE", |text| {
            list(text)
                .map(|part| Pattern::new(part).map_err(|error| format!("{part:?} is not a valid pattern: {error}")))
                .collect()
        })?
        .unwrap_or(Sourced { value: Vec::new(), source: Source::Default });
        let data_dir = match text(environment, "DB_DATA_DIR") {
            Some(Sourced { value, source }) => Sourced { value: project.root.join(value), source },
            None => Sourced { value: default_data_dir(project, environment)?, source: Source::Default },
        };
        Ok(Self {
            project: project.clone(),
            server,
            named: connection.named,
            port_source: connection.port_source,
            role: connection.role,
            password: connection.password,
            passfile: connection.passfile,
            database: connection.database,
            schema,
            parameters: connection.parameters,
            admin: connection.admin,
            extensions,
            write_roles,
            read_roles,
            drift_ignore,
            other_schemas: other_schemas(project, environment)?,
            migrations: Migrations::resolve(project, environment),
            image: or_default(text(environment, "POSTGRES_IMAGE"), "postgres:18"),
            durability: parsed(environment, "DB_DURABLE", Durability::from_str)?
                .unwrap_or(Sourced { value: Durability::Development, source: Source::Default }),
            bin_dir: text(environment, "PG_BIN_DIR")
                .map(|found| Sourced { value: project.root.join(found.value), source: found.source }),
            data_dir,
            ignored: connection.ignored,
            unused: connection.unused,
            misspelled: misspelled::warnings(environment),
            app: connection.app,
        })
    }

    /// The app's own connection to a server that is named; without a password the password file's.
    pub fn app(&self, address: &Address) -> ConnInfo {
        let app = &self.app;
        let password = app.password.clone().or_else(|| self.passfile.password(address, &app.database, &app.user));
        ConnInfo { host: address.host.clone(), port: address.port, password, ..app.clone() }
    }

    /// The app's own connection to a server that we started: what is said of TLS, of logins and of several hosts was
    /// said of another.
    pub fn app_here(&self, address: &Address, password: Password) -> ConnInfo {
        ConnInfo {
            host: address.host.clone(),
            port: address.port,
            password: Some(password),
            ssl_mode: SslMode::Prefer,
            more: Parameters::default(),
            default_certificates: None,
            scram_only: true,
            ..self.app.clone()
        }
    }

    /// The app's own connection to each of the servers that are named.
    pub fn candidates(&self) -> Option<Candidates> {
        self.named.as_ref().map(|named| Candidates::of(named.value.iter().map(|address| self.app(address)).collect()))
    }

    /// How the app's connection to a named server is encrypted.
    pub fn ssl_mode(&self) -> SslMode {
        self.app.ssl_mode
    }
}

impl FromStr for ServerChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "env" => Ok(Self::Env),
            "container" => Ok(Self::Container),
            "local" => Ok(Self::Local),
            _ => Err(format!("{text:?} is not one of auto, env, container, local")),
        }
    }
}

impl fmt::Display for ServerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Env => "env",
            Self::Container => "container",
            Self::Local => "local",
        })
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "no" => Ok(Self::Development),
            "yes" => Ok(Self::Durable),
            _ => Err(format!("{text:?} is not yes or no")),
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Development => "no",
            Self::Durable => "yes",
        })
    }
}

fn text(environment: &Environment, key: &'static str) -> Option<Sourced<String>> {
    environment.get(key).map(|(value, source)| Sourced { value: value.to_owned(), source })
}

fn or_default(found: Option<Sourced<String>>, default: &str) -> Sourced<String> {
    found.unwrap_or_else(|| Sourced { value: default.to_owned(), source: Source::Default })
}

fn parsed<T>(
    environment: &Environment,
    key: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<Sourced<T>>, ConfigError> {
    let Some((value, source)) = environment.get(key) else { return Ok(None) };
    match parse(value) {
        Ok(value) => Ok(Some(Sourced { value, source })),
        Err(reason) => Err(ConfigError::Value(source, reason)),
    }
}

/// The members of a comma-separated list.
fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// `DB_WRITE_ROLES` and `DB_READ_ROLES`: none is the app's role, or in both.
fn further_roles(environment: &Environment, app: &Identifier) -> Result<[Sourced<Vec<Identifier>>; 2], ConfigError> {
    let read = |key| {
        let roles = parsed(environment, key, |text| {
            let mut roles = list(text).map(|name| further_role(name, app)).collect::<Result<Vec<_>, _>>()?;
            let mut known = HashSet::new();
            roles.retain(|role| known.insert(role.clone()));
            Ok(roles)
        })?;
        Ok(roles.unwrap_or(Sourced { value: Vec::new(), source: Source::Default }))
    };
    let [write, read] = [read("DB_WRITE_ROLES")?, read("DB_READ_ROLES")?];
    match read.value.iter().find(|role| write.value.contains(role)) {
        Some(role) => {
            let reason = format!("role {role} is in DB_WRITE_ROLES ({}) too: keep one of them", write.source);
            Err(ConfigError::Value(read.source, reason))
        }
        None => Ok([write, read]),
    }
}

fn further_role(name: &str, app: &Identifier) -> Result<Identifier, String> {
    if name == app.as_str() {
        return Err(format!("role {app} is the app's own, and has every right in its schema: take it out"));
    }
    if name.starts_with("pg_") || ["public", "none"].contains(&name) {
        return Err(format!("{name:?} is a name of PostgreSQL's own: name another role"));
    }
    identifier(name)
}

/// A schema of the app's own: not one of the server's, and not the one that is left to extensions.
fn schema_name(text: &str) -> Result<Identifier, String> {
    if text == "public" || text == "information_schema" || text.starts_with("pg_") {
        return Err(format!("{text:?} is not valid as a schema of the app's\n  help: choose another name"));
    }
    // search_path replaces it by the role's name, quoted or not.
    if text == "$user" {
        return Err("\"$user\" means the role's name in every search_path\n  help: choose another name".to_owned());
    }
    identifier(text)
}

/// Schemas besides the app's own: of the configuration, else of the project's table.
fn other_schemas(project: &Project, environment: &Environment) -> Result<Sourced<Vec<Identifier>>, ConfigError> {
    let schemas = |text: &str| list(text).map(schema_name).collect();
    match parsed(environment, "DB_OTHER_SCHEMAS", schemas)? {
        Some(found) => Ok(found),
        None => {
            let said = project.other_schemas.as_deref().unwrap_or_default();
            let value = schemas(said)
                .map_err(|reason| ConfigError::Value(Source::Default, format!("other-schemas: {reason}")))?;
            Ok(Sourced { value, source: Source::Default })
        }
    }
}

/// A name that stands for itself.
fn identifier(text: &str) -> Result<Identifier, String> {
    placeholder::refuse(text)?;
    Identifier::new(text).map_err(|error| error.to_string())
}

/// A directory of this user and this workspace, outside `target/`. As root one below `/var/lib`: root's
/// home is closed to the user that the server runs as.
fn default_data_dir(project: &Project, environment: &Environment) -> Result<PathBuf, ConfigError> {
    let base = if nix::unistd::geteuid().is_root() {
        PathBuf::from("/var/lib")
    } else if let Some(data) = environment.process_os("XDG_DATA_HOME") {
        PathBuf::from(data)
    } else if let Some(home) = environment.process_os("HOME") {
        Path::new(home).join(if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" })
    } else {
        let reason =
            "neither DB_DATA_DIR nor HOME is set: set DB_DATA_DIR to a directory for the servers that this tool starts"
                .to_owned();
        return Err(ConfigError::Value(Source::Process("DB_DATA_DIR"), reason));
    };
    let root = project.root.canonicalize().unwrap_or_else(|_| project.root.clone());
    let folder = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(base
        .join(format!("{}-db", project.name))
        .join(format!("{folder}-{}", crate::short_digest(root.as_os_str().as_encoded_bytes()))))
}

#[cfg(test)]
mod tests;
