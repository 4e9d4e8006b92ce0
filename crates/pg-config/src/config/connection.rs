//! Which server, role, password and database are meant, where many places may say so.

use pg_connect::{Address, ConnInfo, Passfile, Password, Surroundings};

use super::{
    ConfigError, Sourced,
    administrator::Context,
    layers::{Layered, TLS, choose},
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
        let mut layers = Layered::read(environment, &around, &mut ignored)?;
        let chosen = choose(&layers)?;
        let mut parts = chosen.as_ref().map_or_else(Parts::default, |chosen| chosen.parts.clone());
        let mut url = None;
        for layer in &mut layers {
            // A URL is a whole.
            if let Some(url) = &url {
                ignored.extend(layer.own.sources().map(|source| format!("{source}: {url} replaces it")));
                layer.own = Parts::default();
            }
            url = url.or(layer.own.url.clone());
            if let Some(chosen) = &chosen {
                layer.keep_to(chosen, &mut ignored);
            }
        }
        // Our own keys of every source come before libpq's of any.
        for layer in &layers {
            parts.fill(layer.own.clone());
        }
        // Where the administrator's URL alone names the server, it says how it is spoken to as well.
        if let Some(admin) = layers.iter().find_map(|layer| layer.admin.as_ref()?.server())
            && chosen.as_ref().is_some_and(|chosen| chosen.is_by(&admin))
        {
            parts.fill(admin.only(TLS));
        }
        for layer in &mut layers {
            unused.append(&mut layer.variables.take_passed_by());
            if chosen.is_none() {
                let said = layer.variables.sources();
                unused.extend(said.map(|source| format!("{source}: it counts where a server is named, and none is")));
                continue;
            }
            parts.fill(layer.service.clone());
            parts.fill(layer.variables.clone());
        }

        let named = chosen.map(|chosen| Sourced { value: chosen.addresses, source: chosen.source });
        let parameters = parts.parameters()?;
        let app = parts.app(project, &parameters)?;
        let (passfile, problems) = around.passfile(&parameters);
        if named.is_some() && app.password.is_none() {
            ignored.extend(problems);
        }
        let context = Context { layers: &layers, named: named.as_ref(), app: &parameters, around: &around };
        let admin = layers.iter().find_map(|layer| layer.admin.as_ref());
        let admin = admin.map(|admin| admin.connections(&context, &mut ignored)).transpose()?;
        Ok(Self {
            role: parts.identifier("user", &project.role)?,
            password: app.password.clone().map(|value| Sourced { value, source: parts.source("password") }),
            database: parts.identifier("dbname", &project.database)?,
            port_source: parts.source("port"),
            parameters: parts.further(&app),
            app: ConnInfo { default_certificates: around.default_certificates(), ..app },
            named,
            passfile,
            admin,
            ignored,
            unused,
        })
    }
}
