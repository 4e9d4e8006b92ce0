//! The two connections to a server, and which server is meant where several are named.

use std::{cell::LazyCell, time::Duration};

use anyhow::Context as _;
use pg_config::{Address, Candidates, Config, ConnInfo, Password, Sourced};
use pg_schema::{Access, Administrator};
use pg_server::{Rung, Server, StartedAddresses};

use crate::Context;

/// The two connections: the app's own, and an administrator's where one is known.
pub(crate) fn access(context: &Context, server: &Server) -> anyhow::Result<Access> {
    let config = &context.config;
    let address = Address { host: server.host.clone(), port: server.port };
    // Of a server that is not named it is not asked.
    let ours = LazyCell::new(|| StartedAddresses::read(&config.data_dir.value));
    let (app, password_is_generated) = match (server.rung, &config.password) {
        (Rung::Env, _) => (guarded(&ours, &config.app(&address)), false),
        (_, Some(said)) => (config.app_here(&address, said.value.clone()), false),
        (_, None) => (config.app_here(&address, kept_password(context)?), true),
    };
    let administrator = match (&server.superuser, &config.admin) {
        (Some(superuser), _) => {
            let administrator = Administrator::given(superuser.clone(), "the started server's superuser");
            Some(administrator.with_idle_session(server.session.clone()))
        }
        (None, Some(admin)) => {
            let named: Vec<_> = admin.value.iter().map(|connection| guarded(&ours, connection)).collect();
            let connection = administrators(&named, &address, context.wait)
                .with_context(|| format!("{} names several servers", admin.source))?;
            Some(Administrator::given(connection, admin.source.to_string()))
        }
        (None, None) => None,
    };
    Ok(Access {
        app,
        administrator,
        may_set_password: server.rung != Rung::Env,
        may_be_pooled: server.rung == Rung::Env,
        password_source: password_source(config, server.rung),
        password_is_generated,
        wait: context.wait,
    })
}

/// A connection to a named server. To one that we started it must go by SCRAM: while that server is stopped, any program
/// may listen on its port. What the connection string says of logins comes first.
fn guarded(ours: &StartedAddresses, named: &ConnInfo) -> ConnInfo {
    let scram_only = named.more.get("require_auth").is_none() && ours.has(&named.address());
    ConnInfo { scram_only, ..named.clone() }
}

/// Where the app's password is from, where it is known.
fn password_source(config: &Config, server: Rung) -> Option<String> {
    match &config.password {
        Some(said) => Some(said.source.to_string()),
        None if server == Rung::Env && config.passfile.path().is_file() => {
            Some(config.passfile.path().display().to_string())
        }
        None => None,
    }
}

/// The administrator's connection: of several servers the one that the app is on, else the one that libpq would take.
fn administrators(connections: &[ConnInfo], app: &Address, wait: Duration) -> anyhow::Result<ConnInfo> {
    let same = connections.iter().find(|connection| connection.address() == *app);
    match (same.or_else(|| connections.iter().find(|connection| connection.host == app.host)), connections) {
        (Some(connection), _) | (None, [connection]) => Ok(connection.clone()),
        (None, several) => Ok(Candidates::of(several.to_vec()).connect(wait)?.0),
    }
}

/// The password that was generated for the app's role when its server was first set up.
fn kept_password(context: &Context) -> anyhow::Result<Password> {
    let config = &context.config;
    pg_server::app_password(&config.data_dir.value, config.role.value.as_str()).context("keep the app's password")
}

/// The server that is named. Of several the one that libpq would take, for the whole command: what is made on
/// one must not be looked for on another.
pub(crate) fn settle(context: &Context) -> anyhow::Result<Option<Address>> {
    let config = &context.config;
    let (Some(named), Some(candidates)) = (&config.named, config.candidates()) else { return Ok(None) };
    if let [only] = named.value.as_slice() {
        return Ok(Some(only.clone()));
    }
    if config.server.value.is_started() {
        return Ok(named.value.first().cloned());
    }
    let ours = StartedAddresses::read(&config.data_dir.value);
    let candidates = Candidates::of(candidates.all().iter().map(|info| guarded(&ours, info)).collect());
    let app = candidates.connect(context.wait).map(|(taken, _)| taken.address());
    let taken = match (app, &config.admin) {
        // Where the app may not log in yet, the administrator tells the very same servers apart.
        (Err(error), Some(admin)) if error.is_refusal() => settle_as(&ours, admin, named, context.wait).ok_or(error),
        (app, _) => app,
    };
    let taken = taken.with_context(|| format!("{} names several servers", named.source))?;
    context.voice.say(&format!("of {} servers that {} names: {taken}", named.value.len(), named.source));
    Ok(Some(taken))
}

/// The one of the servers that the administrator reaches. Where a host is named once, another port of it counts
/// as the same server: a pooler's, say.
fn settle_as(
    ours: &StartedAddresses,
    admin: &Sourced<Vec<ConnInfo>>,
    named: &Sourced<Vec<Address>>,
    wait: Duration,
) -> Option<Address> {
    let of = |connection: &ConnInfo| {
        let exactly = named.value.iter().find(|address| **address == connection.address());
        let mut by_host = named.value.iter().filter(|address| address.host == connection.host);
        exactly.or(by_host.next().filter(|_| by_host.next().is_none()))
    };
    let same = admin.value.iter().filter(|connection| of(connection).is_some());
    let same = same.map(|connection| guarded(ours, connection)).collect();
    let (taken, _) = Candidates::of(same).connect(wait).ok()?;
    of(&taken).cloned()
}
