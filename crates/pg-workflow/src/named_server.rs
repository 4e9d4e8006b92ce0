//! Which server is meant where several are named, and how a named one that we started is connected to.

use std::time::Duration;

use anyhow::Context as _;
use pg_config::{Address, Candidates, ConnInfo, Sourced};
use pg_server::StartedAddresses;

use crate::Context;

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

/// A connection to a named server. To one that we started it must go by SCRAM: while that server is stopped, any program
/// may listen on its port. What the connection string says of logins comes first.
pub(crate) fn guarded(ours: &StartedAddresses, named: &ConnInfo) -> ConnInfo {
    let scram_only = named.more.get("require_auth").is_none() && ours.has(&named.address());
    ConnInfo { scram_only, ..named.clone() }
}
