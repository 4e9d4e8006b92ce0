//! What each source says by all its keys together, and which source names the server.

use pg_connect::{Address, Surroundings};

use super::{
    ConfigError, Sourced,
    parts::{ADDRESS, FOR_ANY_SERVER, Parts, TLS},
};
use crate::{Environment, Source, environment::Layer};

/// What one source says.
pub(super) struct Layered {
    pub(super) layer: Layer,
    /// By our own keys, where no higher source's URL replaces them.
    pub(super) own: Parts,
    /// By libpq's variables, and by the service that they name.
    pub(super) libpq: Parts,
    /// `ADMIN_DATABASE_URL`, and what its service says besides.
    pub(super) admin: Option<Sourced<Parts>>,
    /// All that it says for the app, replaced or not.
    pub(super) said: Parts,
    /// The server that it means by all of that, if it means one.
    pub(super) server: Option<Vec<Address>>,
}

/// The server of the whole configuration. It is decided first, as one thing: the source that names the host owns host,
/// port and TLS.
pub(super) struct Chosen {
    /// Host, port and TLS, each with who said it.
    pub(super) parts: Parts,
    pub(super) addresses: Vec<Address>,
    /// Who named it.
    pub(super) source: Source,
    owner: Layer,
}

impl Layered {
    /// Every source, higher first.
    pub(super) fn read(
        environment: &Environment,
        around: &Surroundings<'_>,
        ignored: &mut Vec<String>,
    ) -> Result<Vec<Self>, ConfigError> {
        let mut layers: Vec<Self> = Vec::new();
        for layer in Layer::ALL {
            let mut own = Parts::read(environment, layer, around)?;
            let (variables, service) = Parts::of_libpq(environment, layer, around)?;
            let admin = Parts::of_administrator(environment, layer, around)?;
            let mut libpq = service.clone().unwrap_or_default().filled(&variables);
            let means = own.clone().filled(&libpq);
            let server = if own.names_a_server() || means.names_a_host() {
                Some(means.addresses()?)
            } else {
                server_of(admin.as_ref()).map(Parts::addresses).transpose()?
            };
            // Where a service is named higher up, or by our own keys, `PGSERVICE` is not looked at, as in libpq.
            let higher = layers.iter().map(|layer| &layer.said).chain([&own]).find_map(|said| said.get("service"));
            if let Some(named) = higher
                && let Some(shadowed) = service.as_ref().and_then(|service| service.get("service"))
            {
                ignored.push(format!("{}: {} names a service", shadowed.source, named.source));
                libpq = variables;
            }
            let said = own.clone().filled(&libpq);
            // A URL is a whole.
            if let Some(url) = layers.iter().find_map(|layer| layer.own.url.as_ref()) {
                ignored.extend(own.sources().map(|source| format!("{source}: {url} replaces it")));
                own = Parts::default();
            }
            layers.push(Self { layer, own, libpq, admin, said, server });
        }
        Ok(layers)
    }

    /// What counts on the chosen server, by our own keys and by libpq's. `ignored` hears of the rest, and why.
    pub(super) fn counting(&self, chosen: &Chosen, ignored: &mut Vec<String>) -> [Parts; 2] {
        [self.own.clone(), self.libpq.clone()].map(|mut parts| {
            for name in parts.names() {
                let decided = chosen.parts.get(name);
                let reason = match ADDRESS.contains(&name) {
                    true => Some(format!("{} names the server", decided.map_or(&chosen.source, |found| &found.source))),
                    false => self.refusal(name, chosen),
                };
                let Some((reason, lost)) = reason.and_then(|reason| Some((reason, parts.take(name)?))) else {
                    continue;
                };
                // What has become the server is not lost.
                if decided.is_none_or(|found| found.value.trim() != lost.value.trim()) {
                    ignored.push(format!("the {name} of {}: {reason}", lost.source));
                }
            }
            parts
        })
    }

    /// Why what it says by a parameter does not count on the chosen server, if it does not.
    pub(super) fn refusal(&self, name: &str, chosen: &Chosen) -> Option<String> {
        let is_its_own = self.layer == chosen.owner || self.server.as_ref() == Some(&chosen.addresses);
        if is_its_own || FOR_ANY_SERVER.contains(&name) {
            return None;
        }
        let is_below = self.layer.is_below(chosen.owner);
        let means_another =
            if is_below { self.server.is_some() } else { self.said.url.is_some() || self.said.names_a_host() };
        if means_another {
            return Some(format!("{} names another server", chosen.source));
        }
        let is_owned = TLS.contains(&name) && (is_below || chosen.parts.says(name));
        is_owned.then(|| format!("{} names the server", chosen.source))
    }
}

/// What an administrator's URL says of the server that it names, if it names one.
fn server_of(admin: Option<&Sourced<Parts>>) -> Option<&Parts> {
    admin.map(|admin| &admin.value).filter(|said| said.names_a_host())
}

/// The server that the sources together name, if they name one: by a host of our own keys, else by libpq's, else by
/// a URL without a host, else by `DB_PORT` alone, else by the administrator's URL; the higher source first.
pub(super) fn choose(layers: &[Layered]) -> Result<Option<Chosen>, ConfigError> {
    let first = |names_it: fn(&Layered) -> bool| layers.iter().find(|layer| names_it(layer));
    let owner = first(|layer| layer.own.names_a_host())
        .or_else(|| first(|layer| layer.libpq.names_a_host()))
        .or_else(|| first(|layer| layer.own.url.is_some()))
        .or_else(|| first(|layer| layer.own.says("port")));
    let by_admin = || layers.iter().find_map(|layer| Some((layer, server_of(layer.admin.as_ref())?.clone())));
    let Some((owner, said)) = owner.map(|layer| (layer, layer.own.clone().filled(&layer.libpq))).or_else(by_admin)
    else {
        return Ok(None);
    };
    let mut parts = said.only(&[ADDRESS, TLS].concat());
    // A higher source that names no host of its own may give the port.
    let above = layers.iter().take_while(|layer| layer.layer != owner.layer);
    let port = above.filter(|layer| layer.said.url.is_none() && !layer.said.names_a_host());
    if let Some(port) = port.filter_map(|layer| layer.own.get("port")).next() {
        let is_said = parts.get("port").map_or("5432", |found| found.value.trim()) == port.value.trim();
        match parts.url.clone() {
            Some(_) if is_said => {}
            Some(url) => return Err(ConfigError::Contradiction { url, part: port.source.clone(), what: "port" }),
            None => parts.set("port", &port.value, port.source.clone())?,
        }
    }
    let addresses = parts.addresses()?;
    let host = ["host", "hostaddr"].iter().find_map(|name| parts.get(name)).map(|found| found.source.clone());
    let source = host.or(parts.url.clone()).unwrap_or_else(|| parts.source("port"));
    Ok(Some(Chosen { parts, addresses, source, owner: owner.layer }))
}
