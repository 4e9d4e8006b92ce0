//! What a connection needs: complete, and able to print itself as a URL that every reader takes.

mod uri;

use std::{path::PathBuf, time::Duration};

use crate::{
    Address, Host, InvalidConnString, Options, Parameters, Password, SslMode,
    keepalives::Keepalives,
    parameters::known,
    require_auth::Methods,
    target_session_attrs::{TargetSessionAttrs, is_balanced},
    tls::parameters::check,
};

/// Everything that a connection to one server needs; nothing is left to the environment.
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
    /// What the session starts with (libpq's `options`).
    pub options: Options,
    /// Whether the connection is encrypted, and whom it must be with.
    pub ssl_mode: SslMode,
    /// The session's name in `pg_stat_activity`.
    pub application_name: Option<String>,
    /// How long one attempt may take.
    pub connect_timeout: Option<Duration>,
    /// What else the parameters say: of TLS (`sslrootcert`…), of the server wanted, of keepalives.
    pub more: Parameters,
    /// The directory of the certificates that are used where none is named: `~/.postgresql`.
    pub default_certificates: Option<PathBuf>,
    /// Whether the server must ask for SCRAM, and prove that it knows the password too: so does each that we started.
    /// No URL says so, as before version 16 libpq refuses what it does not know.
    pub scram_only: bool,
}

/// What has a field of its own, or has had its effect.
const NAMED: [&str; 14] = [
    "host",
    "hostaddr",
    "port",
    "user",
    "password",
    "dbname",
    "options",
    "sslmode",
    "application_name",
    "fallback_application_name",
    "connect_timeout",
    "passfile",
    "service",
    "servicefile",
];

impl ConnInfo {
    /// A role's connection to a database of a server, without a password, and with all else as libpq has it by default.
    pub fn of(address: &Address, user: &str, database: &str) -> Self {
        Self {
            host: address.host.clone(),
            port: address.port,
            user: user.to_owned(),
            password: None,
            database: database.to_owned(),
            options: Options::default(),
            ssl_mode: SslMode::default(),
            application_name: None,
            connect_timeout: None,
            more: Parameters::default(),
            default_certificates: None,
            scram_only: false,
        }
    }

    /// The connection that these parameters mean, to one of the servers that they name. Role and database
    /// follow libpq's defaults: the operating system's user, and the role.
    pub fn new(address: &Address, parameters: &Parameters) -> Result<Self, InvalidConnString> {
        parameters.check()?;
        let get = |name| parameters.get(name).map(str::to_owned);
        let user = get("user").map_or_else(operating_systems_user, Ok)?;
        let database = parameters.get("dbname").unwrap_or(&user);
        let info = Self {
            password: password(parameters)?,
            options: Options::parse(parameters.get("options").unwrap_or(""))
                .map_err(|reason| InvalidConnString::value("options", reason))?,
            ssl_mode: SslMode::of(parameters)?,
            application_name: get("application_name").or_else(|| get("fallback_application_name")),
            connect_timeout: parameters.seconds("connect_timeout")?,
            more: parameters.without(&NAMED),
            ..Self::of(address, &user, database)
        };
        // What is used later is looked at now: a bad value is an error of the configuration.
        TargetSessionAttrs::of(&info.more)?;
        is_balanced(&info.more)?;
        Keepalives::of(&info.more)?;
        Methods::required(&info.more)?;
        check(parameters, info.ssl_mode)?;
        Ok(info)
    }

    /// The server.
    pub fn address(&self) -> Address {
        Address { host: self.host.clone(), port: self.port }
    }

    /// The same server, role and settings, another database.
    pub fn with_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }
    }

    /// The URL, password included, that libpq, psycopg, SQLAlchemy, sqlx and rust-postgres read alike.
    pub fn url(&self) -> String {
        self.url_of(&[self.address()])
    }

    /// The same for several servers that hold the same database, in this order.
    pub fn url_of(&self, addresses: &[Address]) -> String {
        self.print(addresses, self.password.as_ref().map(Password::reveal))
    }

    /// The URL with the password masked, for people.
    pub fn masked_url(&self) -> String {
        self.print(&[self.address()], self.password.as_ref().map(|_| "***"))
    }

    fn print(&self, addresses: &[Address], password: Option<&str>) -> String {
        let parameters = self.further();
        uri::print(addresses, &self.user, password, &self.database, &parameters)
    }

    /// Every parameter but those of server, role and database, as it must be said.
    fn further(&self) -> Vec<(&'static str, String)> {
        // Before version 16 libpq takes `system` for a file, and verifies nothing where nothing else says so.
        let is_default = self.ssl_mode == SslMode::default() && self.more.get("sslrootcert") != Some("system");
        let ssl_mode = (!is_default).then(|| self.ssl_mode.as_str().to_owned());
        let timeout = self.connect_timeout.map(|timeout| timeout.as_secs().to_string());
        let options = (!self.options.is_empty()).then(|| self.options.to_string());
        [
            ("sslmode", ssl_mode),
            ("application_name", self.application_name.clone()),
            ("connect_timeout", timeout),
            ("options", options),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .chain(self.more.iter().map(|(name, value)| (name, value.to_owned())).filter(|(_, value)| !value.is_empty()))
        .collect()
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

    /// libpq's environment variables for this connection, password included: for a program that is run with them, and
    /// speaks to nobody else.
    pub fn libpq_environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.libpq_environment_of(&[self.address()]);
        // An older libpq passes by the variable.
        if self.scram_only && self.more.get("require_auth").is_none() {
            variables.push(("PGREQUIREAUTH", "scram-sha-256".to_owned()));
        }
        variables
    }

    /// The same for several servers that hold the same database, in this order.
    pub fn libpq_environment_of(&self, addresses: &[Address]) -> Vec<(&'static str, String)> {
        let own = [
            ("user", self.user.clone()),
            ("dbname", self.database.clone()),
            ("password", self.password.as_ref().map(|password| password.reveal().to_owned()).unwrap_or_default()),
            ("sslmode", self.ssl_mode.as_str().to_owned()),
        ];
        let said = Address::print(addresses).into_iter().chain(own).chain(self.further());
        let mut variables: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in said.filter(|(_, value)| !value.is_empty()) {
            let variable = known(name).ok().and_then(|keyword| keyword.variable);
            // Keepalives have none: a program's own are as good.
            if let Some(variable) = variable.filter(|variable| variables.iter().all(|(other, _)| other != variable)) {
                variables.push((variable, value));
            }
        }
        variables
    }
}

fn password(parameters: &Parameters) -> Result<Option<Password>, InvalidConnString> {
    match parameters.get("password") {
        Some("[YOUR-PASSWORD]" | "{your_password}" | "<password>" | "[PASSWORD]") => {
            Err(InvalidConnString::value("password", "is still the provider's placeholder: put the password there"))
        }
        said => Ok(said.map(Password::new)),
    }
}

fn operating_systems_user() -> Result<String, InvalidConnString> {
    nix::unistd::User::from_uid(nix::unistd::geteuid())
        .ok()
        .flatten()
        .map(|user| user.name)
        .ok_or_else(|| InvalidConnString::value("user", "is not said, and the operating system knows no name for us"))
}

#[cfg(test)]
mod tests;
