//! The administrator's connection, which may leave to the app's own what it does not say.

use pg_connect::{Address, Candidates, ConnInfo, InvalidConnString, Parameters, Surroundings};

use super::{
    ConfigError, Sourced,
    layers::{Chosen, Layered},
    parts::TLS,
};

/// The connection of the highest `ADMIN_DATABASE_URL` to each server that it may mean; `app` says how the app reaches its
/// own. What was not used goes to `ignored`, with the reason.
pub(super) fn connections(
    layers: &[Layered],
    chosen: Option<&Chosen>,
    app: &Parameters,
    around: &Surroundings<'_>,
    ignored: &mut Vec<String>,
) -> Result<Option<Sourced<Vec<ConnInfo>>>, ConfigError> {
    let Some((own, admin)) = layers.iter().find_map(|layer| Some((layer, layer.admin.as_ref()?))) else {
        return Ok(None);
    };
    let mut said = admin.value.clone();
    // Without a host it means the app's server: what its source says for another one does not count there.
    let apps = chosen.filter(|_| !said.names_a_host());
    for name in said.names() {
        if let Some(reason) = apps.and_then(|chosen| own.refusal(name, chosen)) {
            said.take(name);
            ignored.push(format!("the {name} of {}: {reason}", admin.source));
        }
    }
    let mut all = said.parameters()?;
    let wrong = |error| ConfigError::ConnString(admin.source.clone(), error);
    let addresses = addresses(&all, apps).map_err(wrong)?;
    let speaks = speaks(layers, own, chosen, app, &addresses)?;
    let (passfile, problems) = around.passfile(if all.says("passfile") { &all } else { app });
    if all.get("password").is_none() {
        let new: Vec<_> = problems.into_iter().filter(|problem| !ignored.contains(problem)).collect();
        ignored.extend(new);
    }
    complete(&mut all, &speaks, app).map_err(wrong)?;
    let certificates = around.default_certificates();
    let candidates = Candidates::at(&addresses, &all, &passfile, certificates).map_err(wrong)?;
    Ok(Some(Sourced { value: candidates.all().to_vec(), source: admin.source.clone() }))
}

/// What it names; without a host the app's own servers, on its own port where it says one.
fn addresses(all: &Parameters, apps: Option<&Chosen>) -> Result<Vec<Address>, InvalidConnString> {
    let own = Address::all(all)?;
    let Some(apps) = apps else { return Ok(own) };
    Ok(match all.get("port") {
        None => apps.addresses.clone(),
        Some(_) => apps.addresses.iter().map(|found| Address { host: found.host.clone(), port: own[0].port }).collect(),
    })
}

/// How its server is spoken to: as the app does, where that is the app's; else as the sources say that mean it; else as
/// libpq's variables say in its own source, or in a higher one that means no server.
fn speaks(
    layers: &[Layered],
    own: &Layered,
    chosen: Option<&Chosen>,
    app: &Parameters,
    addresses: &[Address],
) -> Result<Parameters, ConfigError> {
    let mut speaks = Parameters::default();
    if chosen.is_some_and(|chosen| are_same_hosts(&chosen.addresses, addresses)) {
        speaks.fill(app);
    }
    for layer in layers {
        if layer.server.as_ref().is_some_and(|server| are_same_hosts(server, addresses)) {
            speaks.fill(&layer.said.parameters()?);
        }
    }
    for layer in layers.iter().filter(|layer| !layer.layer.is_below(own.layer)) {
        let is_its_own = layer.layer == own.layer && !layer.libpq.names_a_host();
        if is_its_own || layer.server.is_none() {
            speaks.fill(&layer.libpq.parameters()?);
        }
    }
    Ok(speaks)
}

/// Whether both lists name the same hosts, whatever the ports: the way to a host is the same for each of its servers.
fn are_same_hosts(some: &[Address], others: &[Address]) -> bool {
    some.iter().map(|address| &address.host).eq(others.iter().map(|address| &address.host))
}

/// Role and database have defaults of their own; TLS comes from the source that names the same server.
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
