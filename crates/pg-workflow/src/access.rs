//! The two connections to a server.

use std::{cell::LazyCell, time::Duration};

use anyhow::Context as _;
use pg_config::{Address, Candidates, Config, ConnInfo, Password};
use pg_schema::{Access, Administrator};
use pg_server::{Rung, Server, StartedAddresses};

use crate::{Context, named_server::guarded};

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
        may_accept_drift: false,
        may_set_password: server.rung != Rung::Env,
        may_be_pooled: server.rung == Rung::Env,
        password_source: password_source(config, server.rung),
        password_is_generated,
        wait: context.wait,
    })
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
    pg_server::app_password(&config.data_dir.value, config.role.value.as_str())
        .context("cannot keep the app's password")
}
