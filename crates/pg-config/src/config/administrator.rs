//! The administrator's connection, which may leave to the app's own what it does not say.

use pg_connect::{Address, Candidates, ConnInfo, InvalidConnString, Parameters, Surroundings};

use super::{
    ConfigError, Sourced,
    layers::{ADDRESS, Layered, TLS, are_same_hosts},
    parts::{FOR_ANY_SERVER, Parts},
};
use crate::{Environment, Source, environment::Layer};

/// `ADMIN_DATABASE_URL` of one source, and what its service says besides.
pub(super) struct Administrator {
    source: Source,
    layer: Layer,
    said: Parts,
}

/// What the administrator's connection may lean on.
pub(super) struct Context<'a> {
    pub(super) layers: &'a [Layered],
    /// The app's server.
    pub(super) named: Option<&'a Sourced<Vec<Address>>>,
    /// How the app reaches it.
    pub(super) app: &'a Parameters,
    pub(super) around: &'a Surroundings<'a>,
}

impl Administrator {
    pub(super) fn read(
        environment: &Environment,
        layer: Layer,
        around: &Surroundings<'_>,
    ) -> Result<Option<Self>, ConfigError> {
        let Some(text) = environment.at(layer, "ADMIN_DATABASE_URL") else { return Ok(None) };
        let source = environment.source(layer, "ADMIN_DATABASE_URL");
        let said = Parts::of_url(text, &source, environment, around)?;
        Ok(Some(Self { source, layer, said }))
    }

    /// The server that it names, and how it is spoken to: the app's own, where nothing else names one.
    pub(super) fn server(&self) -> Option<Parts> {
        self.said.names_a_host().then(|| self.said.only(&[ADDRESS, TLS].concat()))
    }

    /// The connection to each server that it may mean; what was not used goes to `ignored`, with the reason.
    pub(super) fn connections(
        &self,
        context: &Context<'_>,
        ignored: &mut Vec<String>,
    ) -> Result<Sourced<Vec<ConnInfo>>, ConfigError> {
        let names_a_host = self.said.names_a_host();
        let mut said = self.said.clone();
        // Without a host it means the server that its own source means: what it says for that one counts for no other.
        if !names_a_host
            && let Some(named) = context.named
            && let Some(own) = context.layers.iter().find(|layer| layer.layer == self.layer)
            && !own.is_for_chosen
        {
            for name in said.names().into_iter().filter(|name| !FOR_ANY_SERVER.contains(name)) {
                said.take(name);
                ignored.push(format!("the {name} of {}: {} names another server", self.source, named.source));
            }
        }
        let mut all = said.parameters()?;
        let wrong = |error| ConfigError::ConnString(self.source.clone(), error);
        let addresses = addresses(&all, context.named.filter(|_| !names_a_host)).map_err(wrong)?;
        let is_there = |server: &[Address]| are_same_hosts(server, &addresses);
        let mut speaks = Parameters::default();
        if context.named.is_some_and(|named| is_there(&named.value)) {
            speaks.fill(context.app);
        }
        let means_it = |layer: &&Layered| layer.server.as_ref().is_some_and(|server| is_there(server));
        for layer in context.layers.iter().filter(means_it) {
            speaks.fill(&layer.said.parameters()?);
        }
        for layer in context.layers.iter().filter(|layer| !means_it(layer)) {
            // A source that means another server says nothing of how this one is spoken to, but for libpq's variables
            // beside the administrator's own URL.
            let is_own = layer.layer == self.layer;
            if layer.libpq.names_a_host() || !is_own && layer.server.is_some() {
                continue;
            }
            let mut says = layer.libpq.clone();
            if layer.layer == Layer::File && self.layer == Layer::Process && says.is_weak() {
                says.take("sslmode");
            }
            speaks.fill(&says.parameters()?);
        }
        let (passfile, problems) = context.around.passfile(if all.says("passfile") { &all } else { context.app });
        if all.get("password").is_none() {
            let new: Vec<_> = problems.into_iter().filter(|problem| !ignored.contains(problem)).collect();
            ignored.extend(new);
        }
        complete(&mut all, &speaks, context.app).map_err(wrong)?;
        let certificates = context.around.default_certificates();
        let candidates = Candidates::at(&addresses, &all, &passfile, certificates).map_err(wrong)?;
        Ok(Sourced { value: candidates.all().to_vec(), source: self.source.clone() })
    }
}

/// Role and database have defaults of their own; the ways of TLS come from whoever speaks to the same server.
fn complete(all: &mut Parameters, speaks: &Parameters, app: &Parameters) -> Result<(), InvalidConnString> {
    let has_mode = all.says("sslmode");
    for name in TLS {
        // Its own word for `sslmode` may be too weak for the system's roots, which want `verify-full`.
        let is_too_much = *name == "sslrootcert" && has_mode && speaks.get(name) == Some("system");
        if let Some(value) = speaks.get(name).filter(|_| !all.says(name) && !is_too_much) {
            all.set(name, value)?;
        }
    }
    for name in ["connect_timeout", "target_session_attrs"] {
        if let Some(value) = app.get(name).filter(|_| !all.says(name)) {
            all.set(name, value)?;
        }
    }
    for name in ["user", "dbname"] {
        if all.get(name).is_none() {
            all.set(name, "postgres")?;
        }
    }
    Ok(())
}

/// What it names; without a host the app's own servers, on its own port where it says one.
fn addresses(all: &Parameters, named: Option<&Sourced<Vec<Address>>>) -> Result<Vec<Address>, InvalidConnString> {
    let own = Address::all(all)?;
    let Some(named) = named else { return Ok(own) };
    Ok(match all.get("port") {
        None => named.value.clone(),
        Some(_) => named.value.iter().map(|found| Address { host: found.host.clone(), port: own[0].port }).collect(),
    })
}
