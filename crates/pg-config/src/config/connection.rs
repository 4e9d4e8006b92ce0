//! Which server, role, password and database are meant, where many places may say so.

use pg_connect::{Address, ConnInfo, Parameters, Passfile, Password, Surroundings};

use super::{
    ConfigError, Sourced,
    administrator::connections,
    layers::{Layered, choose},
    parts::Parts,
};
use crate::{Environment, Identifier, Project, Source};

/// What the sources together say about the connection.
pub(super) struct Connection {
    pub(super) named: Option<Sourced<Vec<Address>>>,
    pub(super) port_source: Source,
    pub(super) role: Sourced<Identifier>,
    pub(super) password: Option<Sourced<Password>>,
    pub(super) passfile: Passfile,
    pub(super) database: Sourced<Identifier>,
    pub(super) app: ConnInfo,
    pub(super) parameters: Vec<(&'static str, Sourced<String>)>,
    pub(super) admin: Option<Sourced<Vec<ConnInfo>>>,
    pub(super) ignored: Vec<String>,
    pub(super) unused: Vec<String>,
}

impl Connection {
    pub(super) fn resolve(project: &Project, environment: &Environment) -> Result<Self, ConfigError> {
        let variable = |key: &str| environment.get_any(key).map(str::to_owned);
        let around = Surroundings { variable: &variable, home: environment.home() };
        let (mut ignored, mut unused) = (Vec::new(), Vec::new());
        let layers = Layered::read(environment, &around, &mut ignored)?;
        ignored.extend(trimmed(environment));
        let chosen = choose(&layers)?;
        let mut parts = Parts::default();
        for layer in &layers {
            unused.extend_from_slice(layer.libpq.passed_by());
        }
        match &chosen {
            Some(chosen) => {
                parts.fill(chosen.parts.clone());
                let counting: Vec<_> = layers.iter().map(|layer| layer.counting(chosen, &mut ignored)).collect();
                // Our own keys of every source come before libpq's of any.
                for [own, _] in &counting {
                    parts.fill(own.clone());
                }
                for [_, libpq] in &counting {
                    parts.fill(libpq.clone());
                }
            }
            None => {
                for layer in &layers {
                    parts.fill(layer.own.clone());
                    let said = layer.libpq.sources();
                    unused
                        .extend(said.map(|source| format!("{source}: it counts where a server is named, and none is")));
                }
            }
        }

        let parameters = parts.parameters()?;
        let app = parts.app(project, &parameters)?;
        let (passfile, problems) = around.passfile(&parameters);
        if chosen.is_some() && app.password.is_none() {
            ignored.extend(problems);
        }
        let admin = connections(&layers, chosen.as_ref(), &parameters, &around, &mut ignored)?;
        Ok(Self {
            role: parts.identifier("user", &project.role)?,
            password: app.password.clone().map(|value| Sourced { value, source: parts.source("password") }),
            database: parts.identifier("dbname", &project.database)?,
            port_source: parts.source("port"),
            parameters: parts.further(&app),
            app: ConnInfo { default_certificates: around.default_certificates(), ..app },
            named: chosen.map(|chosen| Sourced { value: chosen.addresses, source: chosen.source }),
            passfile,
            admin,
            ignored,
            unused,
        })
    }
}

/// The connection strings with white space around them, which other programs take for a part of the database's name.
fn trimmed(environment: &Environment) -> impl Iterator<Item = String> {
    let urls = ["DATABASE_URL", "ADMIN_DATABASE_URL"].into_iter().filter_map(|key| environment.get(key));
    let padded = urls.filter(|(text, _)| Parameters::trimmed(text) != *text);
    padded.map(|(_, source)| {
        format!("{source}: white space around it; take it out, other programs read it as part of the name")
    })
}
