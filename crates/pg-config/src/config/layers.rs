//! What each source says by all its keys together, which server it means by that, and whose server it is in the end.

use pg_connect::{Address, Surroundings};

use super::{
    ConfigError,
    administrator::Administrator,
    parts::{FOR_ANY_SERVER, Parts},
};
use crate::{Environment, Source, environment::Layer};

/// What one source says.
pub(super) struct Layered {
    pub(super) layer: Layer,
    /// By our own keys.
    pub(super) own: Parts,
    /// By the service that libpq's variables name.
    pub(super) service: Parts,
    /// By libpq's variables.
    pub(super) variables: Parts,
    /// For the administrator.
    pub(super) admin: Option<Administrator>,
    /// All that it says for the app, and what of it libpq's variables say, before anything is taken out.
    pub(super) said: Parts,
    pub(super) libpq: Parts,
    /// The server that it means by all of that, if it means one.
    pub(super) server: Option<Vec<Address>>,
    /// Whether what it says for its server is said for the chosen one.
    pub(super) is_for_chosen: bool,
}

/// Where a server is.
pub(super) const ADDRESS: &[&str] = &["host", "hostaddr", "port"];

/// How a server is spoken to, whoever speaks.
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

/// The server of the whole configuration: decided first, as one thing. What sources say for another one counts no
/// more: its password, its certificates, its options.
pub(super) struct Chosen {
    /// `host`, `hostaddr`, `port`, each with who said it.
    pub(super) parts: Parts,
    pub(super) addresses: Vec<Address>,
    /// Who named it.
    pub(super) source: Source,
    layer: Layer,
    /// Whether a higher source than the host's says the port.
    is_port_from_above: bool,
}

impl Chosen {
    /// Whether it was these who named it.
    pub(super) fn is_by(&self, parts: &Parts) -> bool {
        ADDRESS.iter().any(|name| parts.get(name).is_some_and(|found| found.source == self.source))
    }
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
            let own = Parts::read(environment, layer, around)?;
            let (variables, service) = Parts::of_libpq(environment, layer, around)?;
            let mut service = service.unwrap_or_default();
            let admin = Administrator::read(environment, layer, around)?;
            let mut means = own.clone();
            means.fill(service.clone());
            means.fill(variables.clone());
            let server = match &admin {
                _ if own.names_a_server() || means.names_a_host() => Some(means.addresses()?),
                Some(admin) => admin.server().map(|server| server.addresses()).transpose()?,
                None => None,
            };
            // Where a service is named higher up, or by our own keys, `PGSERVICE` is not looked at, as in libpq.
            let higher = layers.iter().map(|layer| &layer.said).chain([&own]).find_map(|said| said.get("service"));
            if let Some(named) = higher
                && let Some(shadowed) = service.get("service")
            {
                ignored.push(format!("{}: {} names a service", shadowed.source, named.source));
                service = Parts::default();
            }
            let mut libpq = service.clone();
            libpq.fill(variables.clone());
            let mut said = own.clone();
            said.fill(libpq.clone());
            layers.push(Self { layer, own, service, variables, admin, said, libpq, server, is_for_chosen: true });
        }
        Ok(layers)
    }

    /// Takes out where it says a server is, which has been decided, and what it says for a server of its own, where
    /// that is not the chosen one. `ignored` hears of each that is lost, and why.
    pub(super) fn keep_to(&mut self, chosen: &Chosen, ignored: &mut Vec<String>) {
        let is_same_host = self.server.as_ref().is_some_and(|server| are_same_hosts(server, &chosen.addresses));
        let is_below = self.layer == Layer::File && chosen.layer == Layer::Process;
        let is_above = self.layer == Layer::Process && chosen.layer == Layer::File;
        // A higher source that names no host of the app's speaks of whatever host there is.
        let is_of_lower = is_above && self.own.url.is_none() && !self.said.names_a_host();
        // Who names the host means it, whichever port a lower source adds.
        let names_it = self.layer == chosen.layer && !chosen.is_port_from_above;
        let means_it = self.server.as_ref().is_none_or(|server| *server == chosen.addresses);
        self.is_for_chosen = is_of_lower || names_it || means_it;
        let means_none = self.server.is_none();
        // On another port there is another server, but the way to the host is the same.
        let by = match chosen.parts.source("port") {
            Source::Default => chosen.source.clone(),
            port if is_same_host => port,
            _ => chosen.source.clone(),
        };
        let is_for_chosen = self.is_for_chosen;
        let stays = |name: &str| is_for_chosen || FOR_ANY_SERVER.contains(&name) || is_same_host && TLS.contains(&name);
        for parts in [&mut self.own, &mut self.service, &mut self.variables] {
            for name in parts.names() {
                let why = if ADDRESS.contains(&name) {
                    let decided = chosen.parts.get(name).map_or(&chosen.source, |found| &found.source);
                    format!("{decided} names the server")
                } else if !stays(name) {
                    format!("{by} names another server")
                } else if name == "sslmode" && means_none && is_below && parts.is_weak() {
                    format!("too weak for the server that {by} names")
                } else {
                    continue;
                };
                let Some(found) = parts.take(name) else { continue };
                // What has become the server is not lost.
                let is_used = ADDRESS.contains(&name)
                    && chosen.parts.get(name).is_some_and(|used| used.value.trim() == found.value.trim());
                if !is_used {
                    ignored.push(format!("the {name} of {}: {why}", found.source));
                }
            }
        }
    }
}

/// The server that the sources together name, if they name one: by a host of our own keys, else by libpq's, else by
/// a URL without a host or a port alone, else by the administrator's URL; the higher source first.
pub(super) fn choose(layers: &[Layered]) -> Result<Option<Chosen>, ConfigError> {
    // A URL is a whole: it replaces what lower sources say by our own keys.
    let first_url = layers.iter().position(|layer| layer.own.url.is_some()).unwrap_or(layers.len());
    let own = || layers.iter().enumerate().filter(|(at, _)| *at <= first_url).map(|(_, layer)| layer);
    let by_libpq = layers.iter().find(|layer| layer.libpq.names_a_host());
    let by_admin = layers.iter().find_map(|layer| Some((layer, layer.admin.as_ref()?.server()?)));

    let (layer, parts) = if let Some(layer) = own().find(|layer| layer.own.names_a_host()) {
        (layer, layer.said.only(ADDRESS))
    } else if let Some(layer) = by_libpq {
        (layer, layer.libpq.only(ADDRESS))
    } else if let Some(layer) = own().find(|layer| layer.own.names_a_server()) {
        (layer, layer.said.only(ADDRESS))
    } else if let Some((layer, server)) = by_admin {
        (layer, server.only(ADDRESS))
    } else {
        return Ok(None);
    };
    let mut server = Parts::default();
    // `DB_PORT` of a higher source is for whatever host there is; that of the same source is for its `PGHOST`.
    let above = layers.iter().take_while(|other| other.layer != layer.layer);
    let port_of = |layer: &Layered| layer.own.get("port").cloned();
    let from_above = above.filter(|other| other.own.url.is_none() && !other.said.names_a_host()).find_map(port_of);
    let is_port_from_above = from_above.is_some();
    let beside = if layer.own.names_a_host() { None } else { port_of(layer) };
    if let Some(port) = from_above.or(beside) {
        server.set("port", &port.value, port.source)?;
    }
    let source = ["host", "hostaddr"].iter().find_map(|name| parts.get(name)).map(|found| found.source.clone());
    server.fill(parts);
    let is_ours = source.is_some() && layer.own.names_a_host();
    // A lower source's port goes with a higher one's `DB_HOST`; `PGPORT` is for its own source's server alone.
    if is_ours
        && layer.own.url.is_none()
        && !server.says("port")
        && let mut below = layers.iter().skip_while(|other| other.layer != layer.layer)
        && let Some(port) = below.find_map(port_of).filter(|port| !port.value.contains(','))
    {
        server.set("port", &port.value, port.source)?;
    }
    server.url = if is_ours || source.is_none() { layer.own.url.clone() } else { None };
    let addresses = server.addresses()?;
    let source = source.or(server.url.clone()).unwrap_or_else(|| server.source("port"));
    Ok(Some(Chosen { parts: server, addresses, source, layer: layer.layer, is_port_from_above }))
}

/// Whether both lists name the same hosts, whatever the ports: the way to a host is the same for each of its servers.
pub(super) fn are_same_hosts(some: &[Address], others: &[Address]) -> bool {
    some.iter().map(|address| &address.host).eq(others.iter().map(|address| &address.host))
}
