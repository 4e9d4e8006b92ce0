//! `db-clone` and `db-drop`: a copy of the migrated database by a name, for tests in any language.

use anyhow::{Context as _, bail};
use pg_config::{ConnInfo, Identifier};
use pg_schema::query;
use pg_setup::{Context, Target};

use crate::{clone::drop_database, house::House, template::Content};

/// Makes a copy of the migrated database, and gives its connection. It stays until [`drop_named`].
pub fn clone_named(context: &Context, target: Target, name: &str) -> anyhow::Result<ConnInfo> {
    let house = House::open(context.clone(), target)?;
    let database = database(&house, name)?;
    if exists(&house, &database)? {
        bail!("{database} is there already\n  help: cargo xtask db-drop {name} --yes, or give another name");
    }
    let template = house.template(Content::Migrated)?;
    house.with_session(|session| {
        house.create(session, &template, &database)?;
        house.complete(session, &template, &database, "").or_else(|error| {
            // Without its settings and privileges it is none.
            drop_database(session, &house.administrator, &database)?;
            Err(error)
        })
    })?;
    Ok(house.target.access.app.with_database(database.as_str()))
}

/// Drops it, whoever is connected; `false` where there was none.
pub fn drop_named(context: &Context, target: Target, name: &str) -> anyhow::Result<bool> {
    let house = House::open(context.clone(), target)?;
    let database = database(&house, name)?;
    let is_there = exists(&house, &database)?;
    house.with_session(|session| drop_database(session, &house.administrator, &database))?;
    Ok(is_there)
}

/// Only what has this prefix is ever dropped.
fn database(house: &House, name: &str) -> anyhow::Result<Identifier> {
    Identifier::new(format!("{}{name}", house.stem.clone_prefix())).with_context(|| format!("the name {name:?}"))
}

fn exists(house: &House, database: &Identifier) -> anyhow::Result<bool> {
    let sql = "SELECT FROM pg_catalog.pg_database WHERE datname = $1";
    house.with_session(|session| Ok(!query(session, sql, &[database.as_str()])?.is_empty()))
}
