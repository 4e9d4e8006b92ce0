//! From whatever is there to the desired state. It is asserted on every run: that something exists
//! already is never a reason to stop early, and what is right already is not touched.

mod cluster;
mod connections;
pub(crate) mod database;
mod error;
mod further_roles;
mod instructions;
mod lazy_session;
mod open;
mod refusal;
mod rights;
mod run;

use std::time::Duration;

use pg_config::{ConnInfo, Identifier, Password, Session};

use self::{
    cluster::Cluster,
    connections::connect_app,
    error::login_refused,
    refusal::Refusal,
    rights::{refuse_hopeless_extension, refuse_hopeless_schema},
    run::Run,
};
pub use self::{
    connections::Connections,
    error::ProvisionError,
    instructions::Instructions,
    open::{open, wait_for_others},
};
use crate::{
    Administrator, Expected, Facts, ddl,
    facts::{Extension, stored_role},
    path,
    record::record_path,
    relocate,
    sql_error::SqlError,
};

/// How the server is reached, and what may be done to it.
#[derive(Clone, Debug)]
pub struct Access {
    /// The app's own connection.
    pub app: ConnInfo,
    /// A connection that may make roles and databases, where one is known.
    pub administrator: Option<Administrator>,
    /// Whether the password of a role that exists may be changed: it was asked for, or the server is
    /// one that we started.
    pub may_set_password: bool,
    /// Whether what lies in the schema may be recorded as it is: it was asked for.
    pub may_accept_drift: bool,
    /// Whether [`Self::app`]'s password was generated here, with 128 random bits.
    pub password_is_generated: bool,
    /// Where its password is from, in words.
    pub password_source: Option<String>,
    /// Whether a pooler may stand before the server: it is not one that we started.
    pub may_be_pooled: bool,
    /// How long a server that is still starting is waited for.
    pub wait: Duration,
}

/// What the connections are opened for: it decides whose rights suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Make what is missing.
    Provision,
    /// Drop the database.
    Drop,
    /// Fix what was found: whatever the rights suffice for.
    Fix,
}

/// A database in the desired state.
pub struct Provisioned {
    /// The app's own session, opened after the last change.
    pub app: Session,
    /// What could not be run, and why.
    pub left: Vec<SqlError>,
    /// The server's warnings; a GRANT that grants nothing is only a warning there.
    pub warnings: Vec<String>,
    /// What was asserted, the administrator's role filled in.
    pub expected: Expected,
    /// What is true now, where nothing had to be run: the verification need not read it again.
    pub facts: Option<Facts>,
}

/// A statement that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its text, without any verifier.
    pub statement: String,
    /// By whose connection.
    pub by: By,
}

/// Whose connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The administrator's.
    Administrator,
    /// The app's own.
    App,
}

/// Makes what is missing and fixes what is wrong: role, database, extensions, schema, paths, privileges.
/// `tell` hears of each change as it happens.
pub fn provision(
    connections: &mut Connections,
    access: &Access,
    expected: &Expected,
    tell: &mut dyn FnMut(&Change),
) -> Result<Provisioned, ProvisionError> {
    provision_where(connections, access, expected, refuse_second_copy, tell)
}

/// The same before the app's tables are moved into its schema: that they lie elsewhere is no reason to stop.
pub fn provision_for_move(
    connections: &mut Connections,
    access: &Access,
    expected: &Expected,
    tell: &mut dyn FnMut(&Change),
) -> Result<Provisioned, ProvisionError> {
    provision_where(connections, access, expected, |_, _| Ok(()), tell)
}

fn provision_where(
    connections: &mut Connections,
    access: &Access,
    expected: &Expected,
    refuse: fn(&Facts, &Expected) -> Result<(), ProvisionError>,
    tell: &mut dyn FnMut(&Change),
) -> Result<Provisioned, ProvisionError> {
    let cluster = connections.take_cluster(expected)?;
    connections.retry_login(&cluster, access)?;
    let plan = plan(connections, &cluster, access, expected)?;
    let mut run = Run::new(tell);
    let create = cluster.create_database(&expected.database);
    for statement in plan {
        if statement == create && cluster.needs_locale {
            run.remark("the server's own locale cannot hold UTF-8".to_owned());
        }
        match statement == create {
            true => run.must_make(&mut connections.maintenance, By::Administrator, &statement)?,
            false => run.must(&mut connections.maintenance, By::Administrator, &statement)?,
        }
    }
    let administrator = Some(Identifier::from_catalog(&cluster.administrator));
    let expected = Expected { administrator, ..expected.clone() };
    let (mut app, facts) = look_inside(connections, &cluster, access, &expected, &run)?;
    refuse(&facts, &expected)?;
    refuse_extension_out_of_reach(&facts, access, &expected)?;
    database::assert(&mut app, &connections.administrator, &cluster, &facts, access, &expected, &mut run)?;
    finish(connections, access, expected, app, facts, run)
}

/// What the administrator is to run first. Rights come first: what cannot be finished is not begun.
fn plan(
    connections: &mut Connections,
    cluster: &Cluster,
    access: &Access,
    expected: &Expected,
) -> Result<Vec<String>, ProvisionError> {
    let refusal = connections.refusal.take();
    let refusal = refusal.map(|error| Refusal::look(error, &mut connections.maintenance, expected));
    let mut plan = cluster.plan(refusal, &connections.administrator, access, expected)?;
    if !cluster.has_database_privileges && !cluster.may_grant() {
        refuse_hopeless_schema(connections, cluster, access, expected)?;
    }
    if !expected.extensions.is_empty() {
        refuse_hopeless_extension(connections, cluster, access, expected)?;
    }
    plan.extend(further_roles::plan(&mut connections.maintenance, cluster, expected)?);
    if !plan.is_empty() && !connections.is_one_server(cluster)? {
        return Err(ProvisionError::DifferentServers { how: connections.administrator.how.clone() });
    }
    Ok(plan)
}

/// The app's own session in its database, and what it sees there.
fn look_inside(
    connections: &mut Connections,
    cluster: &Cluster,
    access: &Access,
    expected: &Expected,
    run: &Run<'_>,
) -> Result<(Session, Facts), ProvisionError> {
    let administrator = &connections.administrator;
    let mut app = match connections.app.take() {
        Some(session) => session,
        None => connect_app(access, Some(administrator)).map_err(|error| match error.is_refusal() {
            true => login_refused(error, expected, &run.changes, administrator, (None, None)),
            false => ProvisionError::Connect(error),
        })?,
    };
    let facts = match Facts::read(&mut app, expected) {
        // It began before the lock, and a reset has ended it since.
        Err(error) if error.is_final() => {
            app = connect_app(access, Some(administrator)).map_err(ProvisionError::Connect)?;
            Facts::read(&mut app, expected)?
        }
        outcome => outcome?,
    };
    if facts.server_started != cluster.server_started {
        return Err(ProvisionError::DifferentServers { how: administrator.how.clone() });
    }
    if facts.database.name != expected.database || facts.role.name != expected.role {
        let stored = stored_role(&facts.settings).filter(|_| facts.database.name == expected.database);
        return Err(ProvisionError::WrongDatabase {
            found: facts.database.name.to_string(),
            role: facts.role.name.to_string(),
            expected: format!("{} as role {}", expected.database, expected.role),
            help: match stored {
                Some(setting) => format!(
                    "a stored setting makes the session that role's; take it away: {};",
                    setting.reset(expected)
                ),
                None => "look at what stands between: a pooler's aliases, pg_hba.conf, pg_ident.conf".to_owned(),
            },
        });
    }
    Ok((app, facts))
}

/// Notes a path that others have set, and gives the app a session that has all that was changed.
fn finish(
    connections: &Connections,
    access: &Access,
    expected: Expected,
    mut app: Session,
    facts: Facts,
    run: Run<'_>,
) -> Result<Provisioned, ProvisionError> {
    let is_to_be_recorded = was_set_by_others(&facts);
    if is_to_be_recorded {
        record_path(&mut app, &expected)?;
    }
    let is_unchanged = run.changes.is_empty() && run.left.is_empty() && !is_to_be_recorded;
    // A session that began before the paths changed has the old one: the app's next one begins after.
    let is_stale = access.app.options.get("search_path").is_none()
        && facts.path.stored.schema.as_ref() == Some(&expected.schema)
        && facts.path.current_schema.as_ref() != Some(&expected.schema);
    if !is_unchanged || is_stale {
        app = connect_app(access, Some(&connections.administrator)).map_err(ProvisionError::Connect)?;
    }
    let facts = (is_unchanged && !is_stale).then_some(facts);
    Ok(Provisioned { app, left: run.left, warnings: run.warnings, expected, facts })
}

/// Where the schema is empty and the app's tables lie elsewhere, they were moved, or their schema renamed: the
/// migrations would make empty ones beside them.
fn refuse_second_copy(facts: &Facts, expected: &Expected) -> Result<(), ProvisionError> {
    match facts.table_elsewhere(expected) {
        None => Ok(()),
        Some(table) => Err(ProvisionError::TablesElsewhere {
            table: table.object.qualified(),
            role: expected.role.to_string(),
            schema: expected.schema.to_string(),
            command: table.object.schema.as_ref().map(relocate::command).unwrap_or_default(),
        }),
    }
}

/// An extension that is there already, in a schema that the app's path will not lead to: the migrations would fail, and not
/// say so.
fn refuse_extension_out_of_reach(facts: &Facts, access: &Access, expected: &Expected) -> Result<(), ProvisionError> {
    let Expected { role, database, schema, .. } = expected;
    let stored = facts.path.layer("role in database").filter(|layer| path::serves(&layer.path, schema));
    let path = match (access.app.options.get("search_path"), stored) {
        (Some(path), _) => path.to_owned(),
        (None, Some(layer)) => layer.path.clone(),
        (None, None) => ddl::search_path(schema),
    };
    let reached = path::schemas(&path);
    let is_out = |found: &&Extension| {
        let place = found.schema.as_str();
        expected.extensions.contains(&found.name)
            && !["pg_catalog", "public"].contains(&place)
            && !reached.iter().any(|name| name == place)
    };
    let Some(found) = facts.extensions.iter().find(is_out) else { return Ok(()) };
    Err(ProvisionError::ExtensionOutOfReach {
        name: found.name.to_string(),
        schema: found.schema.to_string(),
        path,
        statements: ddl::reach_schema(role, database, schema, &found.schema)
            .iter()
            .map(|sql| format!("\n        {sql};"))
            .collect(),
    })
}

/// Whether somebody has set the path of the app's role since we wrote down that we did.
fn was_set_by_others(facts: &Facts) -> bool {
    let known = facts.schema.as_ref().and_then(|schema| schema.remark.path.as_ref());
    let winner = facts.path.layers.first().filter(|layer| layer.layer == "role in database");
    matches!((known, winner), (Some(known), Some(winner)) if known.path != winner.path)
}

/// What is sent instead of the app's password.
fn verifier(access: &Access) -> Option<String> {
    let of = if access.password_is_generated { Password::quick_verifier } else { Password::verifier };
    access.app.password.as_ref().map(of)
}
