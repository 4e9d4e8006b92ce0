//! The configuration: complete, typed, resolved once from flags, environment, `.env` and defaults.

mod administrator;
mod connection;

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use thiserror::Error;

use self::connection::Connection;
use crate::{
    ConnInfo, Digest, Environment, Host, Identifier, InputsError, InvalidConnString, InvalidIdentifier, Options,
    Password, Project, Source, SslMode,
};

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
    /// The server that is named, if one is.
    pub named: Option<Sourced<Address>>,
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
    /// What the app's own connection asks for besides.
    pub session: SessionSettings,
    /// A connection that may create roles and databases.
    pub admin: Option<Sourced<ConnInfo>>,
    /// Extensions that the app needs.
    pub extensions: Sourced<Vec<Identifier>>,
    /// The app's migrations.
    pub migrations: Migrations,
    /// The container's image.
    pub image: Sourced<String>,
    /// Where `initdb` and `postgres` are.
    pub bin_dir: Option<Sourced<PathBuf>>,
    /// Where the servers that we start keep their files.
    pub data_dir: Sourced<PathBuf>,
    /// What was said and does not count, each with the reason.
    pub ignored: Vec<String>,
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

/// Where the named server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name, address or socket directory.
    pub host: Host,
    /// Port.
    pub port: u16,
}

/// What the app's own connection asks for besides role and database.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// `options`.
    pub options: Options,
    /// Where they came from.
    pub options_source: Source,
    /// `sslmode`.
    pub ssl_mode: SslMode,
    /// Where it came from.
    pub ssl_mode_source: Source,
    /// `application_name`.
    pub application_name: Option<String>,
    /// `connect_timeout`.
    pub connect_timeout: Option<Duration>,
}

/// How the app's migrations are run.
#[derive(Clone, Debug)]
pub struct Migrations {
    /// Run once by `sh -c` at the workspace's root.
    pub command: Sourced<String>,
    /// Globs of their files; none: they are never skipped.
    pub inputs: Option<Sourced<Vec<String>>>,
}

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A connection string that cannot be read.
    #[error("{source_}: {reason}", source_ = .0, reason = .1)]
    ConnString(Source, InvalidConnString),
    /// Two values of one source that contradict each other.
    #[error("{url} and {part} contradict each other about the {what}: keep one of them")]
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
    /// A key of libpq's that would be dropped without a word.
    #[error("{0} is set, and not supported yet: unset it, or write what it says into DATABASE_URL")]
    Unsupported(&'static str),
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
        let Connection { named, port_source, role, password, database, session, admin, ignored } =
            Connection::resolve(project, environment)?;
        let schema = parsed(environment, "DB_SCHEMA", schema_name)?
            .unwrap_or(Sourced { value: Identifier::from_catalog(project.schema), source: Source::Default });
        let extensions = parsed(environment, "DB_EXTENSIONS", |text| {
            list(text).map(|name| Identifier::new(name).map_err(|error| error.to_string())).collect()
        })?
        .unwrap_or(Sourced { value: Vec::new(), source: Source::Default });
        let data_dir = match text(environment, "DB_DATA_DIR") {
            Some(Sourced { value, source }) => Sourced { value: project.root.join(value), source },
            None => Sourced { value: default_data_dir(project, environment)?, source: Source::Default },
        };
        Ok(Self {
            project: project.clone(),
            server,
            named,
            port_source,
            role,
            password,
            database,
            schema,
            session,
            admin,
            extensions,
            migrations: Migrations::resolve(project, environment),
            image: or_default(text(environment, "POSTGRES_IMAGE"), "postgres:17"),
            bin_dir: text(environment, "PG_BIN_DIR")
                .map(|found| Sourced { value: project.root.join(found.value), source: found.source }),
            data_dir,
            ignored,
        })
    }

    /// The app's own connection to a server.
    pub fn app(&self, address: &Address, password: Option<&Password>, ssl_mode: SslMode) -> ConnInfo {
        ConnInfo {
            host: address.host.clone(),
            port: address.port,
            user: self.role.value.as_str().to_owned(),
            password: password.cloned(),
            database: self.database.value.as_str().to_owned(),
            options: self.session.options.clone(),
            ssl_mode,
            application_name: self.session.application_name.clone(),
            connect_timeout: self.session.connect_timeout,
        }
    }
}

impl Migrations {
    fn resolve(project: &Project, environment: &Environment) -> Self {
        let command = or_default(text(environment, "MIGRATE_COMMAND"), project.migrate_command);
        let inputs = text(environment, "MIGRATE_INPUTS").or_else(|| {
            (command.value == project.migrate_command)
                .then(|| Sourced { value: project.migrate_inputs.to_owned(), source: Source::Default })
        });
        let inputs = inputs
            .map(|found| Sourced { value: list(&found.value).map(str::to_owned).collect(), source: found.source });
        Self { command, inputs }
    }

    /// The digest of command and inputs; `None` where no inputs are named.
    pub fn digest(&self, root: &Path) -> Result<Option<Digest>, InputsError> {
        self.inputs.as_ref().map(|inputs| Digest::of(root, &self.command.value, &inputs.value)).transpose()
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
            _ => Err(format!("{text:?} is none of auto, env, container, local")),
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

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
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

/// The members of a list parted by commas.
fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// A schema of the app's own: not one of the server's, and not the one that is left to extensions.
fn schema_name(text: &str) -> Result<Identifier, String> {
    if text == "public" || text == "information_schema" || text.starts_with("pg_") {
        return Err(format!("{text:?} is no schema of an app's own: give another name"));
    }
    // search_path replaces it by the role's name, quoted or not.
    if text == "$user" {
        return Err("\"$user\" stands for the role's name in every search_path: give another name".to_owned());
    }
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
        let reason = "neither it nor HOME is set: say where started servers may keep their files".to_owned();
        return Err(ConfigError::Value(Source::Process("DB_DATA_DIR"), reason));
    };
    let root = project.root.canonicalize().unwrap_or_else(|_| project.root.clone());
    let folder = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(base.join(format!("{}-db", project.name)).join(format!("{folder}-{}", crate::inputs::short_digest(&root))))
}

#[cfg(test)]
mod tests;
