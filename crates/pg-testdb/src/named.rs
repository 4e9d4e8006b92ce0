//! `db-clone` and `db-drop`: a copy of the migrated database by a name, for tests in any language.

use anyhow::{Context as _, bail};
use pg_config::{ConnInfo, Identifier, Session};
use pg_schema::query;
use pg_workflow::{Context, Target};

use crate::{cloning, server::TestServer, sweep::sweep, template::Content};

/// Makes a copy of the migrated database, and gives its connection. It stays until [`drop_named`].
pub fn clone_named(context: &Context, target: Target, name: &str) -> anyhow::Result<ConnInfo> {
    let server = TestServer::open(context.clone(), target)?;
    let database = database(&server, name)?;
    let what = what(name);
    if exists(&server, &database)? {
        bail!(
            "{database} is there already\n  help: drop it: cargo xtask db-drop {name} --yes\n  help: or give another name"
        );
    }
    let template = server.template(Content::Migrated)?;
    server.with_session(|session| cloning::make(&server, session, &template, (&database, &what)))?;
    sweep_aloud(&server);
    Ok(server.target.access.app.with_database(database.as_str()))
}

/// Drops it, whoever is connected; `false` where there was none. What [`clone_named`] has not made is an error.
pub fn drop_named(context: &Context, target: Target, name: &str) -> anyhow::Result<bool> {
    let server = TestServer::open(context.clone(), target)?;
    let database = database(&server, name)?;
    let drop = |session: &mut Session| server.mark.drop_marked(session, &server.administrator, &database, &what(name));
    let is_dropped = server.with_session(drop)?;
    sweep_aloud(&server);
    Ok(is_dropped)
}

/// Sweeps, and names what is called as ours and stays: nobody knows whose it is.
fn sweep_aloud(server: &TestServer) {
    if server.is_for_one_test {
        return;
    }
    // What cannot be looked at now, the next process sweeps.
    for unmarked in sweep(server).into_iter().flatten() {
        server.context.voice.warn(&unmarked.to_string());
    }
}

/// What its mark calls it.
fn what(name: &str) -> String {
    format!("db-clone {name}")
}

/// Only what has this prefix is ever dropped.
fn database(server: &TestServer, name: &str) -> anyhow::Result<Identifier> {
    Identifier::new(format!("{}{name}", server.base.clone_prefix())).with_context(|| format!("the name {name:?}"))
}

fn exists(server: &TestServer, database: &Identifier) -> anyhow::Result<bool> {
    let sql = "SELECT FROM pg_catalog.pg_database WHERE datname = $1";
    server.with_session(|session| Ok(!query(session, sql, &[database.as_str()])?.is_empty()))
}
