//! Rights come first: who is administrator, and what cannot be finished and so is not begun.

use pg_config::{ConnectError, Identifier, Session};
use postgres::{Row, error::SqlState};

use super::{
    Access, Connections, Instructions, ProvisionError, Purpose,
    cluster::Cluster,
    connections::{app_as_administrator, maintenance},
    error::unknown_login,
};
use crate::{
    Administrator, Expected,
    administrator::local_superuser,
    ddl, path,
    query::{query, query_one},
    sql_error::SqlError,
    transaction::in_transaction,
};

/// Who is administrator where nobody was named: the app itself where its rights suffice, else the
/// superuser of a server on this machine.
pub(super) fn find_administrator(
    access: &Access,
    expected: &Expected,
    purpose: Purpose,
    app: Option<&mut Session>,
    refusal: Option<&ConnectError>,
) -> Result<Administrator, ProvisionError> {
    let itself = app_as_administrator(access);
    let lacking = match (app, refusal) {
        // Whatever the app may not do itself is for the server's superuser, where it is on this machine.
        (Some(app), _) if purpose == Purpose::Fix => {
            let is_superuser: bool = in_transaction(app, |app, _| query_one(app, IS_SUPERUSER, &[]))?.get(0);
            let superuser = (!is_superuser).then(|| local_superuser(&access.app)).flatten();
            return Ok(superuser.unwrap_or(itself));
        }
        (Some(app), _) => match lacks(app, expected, purpose)? {
            None => return Ok(itself),
            Some(reason) => {
                ProvisionError::NeedsAdministrator { reason, instructions: instructions_inside(app, expected)? }
            }
        },
        // Nothing speaks against it.
        (None, None) => return Ok(itself),
        // A reset that was killed may have left it closed.
        (None, Some(error)) if is_missing(error) || is_closed(error) => {
            if may_create(&itself, access, expected, purpose)? {
                return Ok(itself);
            }
            kept_out(error, access, expected)
        }
        (None, Some(error)) => kept_out(error, access, expected),
    };
    local_superuser(&access.app).ok_or(lacking)
}

/// Whether the app may make its database.
fn may_create(
    itself: &Administrator,
    access: &Access,
    expected: &Expected,
    purpose: Purpose,
) -> Result<bool, ProvisionError> {
    let Ok(mut session) = maintenance(access, expected, purpose, itself) else { return Ok(false) };
    Ok(Cluster::read(&mut session, expected)?.may_create_database)
}

/// What the app lacks that its database kept out.
fn kept_out(error: &ConnectError, access: &Access, expected: &Expected) -> ProvisionError {
    if is_missing(error) {
        let reason = format!("{error}\n  note: the role may not create it");
        return ProvisionError::NeedsAdministrator {
            reason,
            instructions: Instructions::default().and_database(expected),
        };
    }
    if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        return ProvisionError::NeedsAdministrator {
            reason: error.to_string(),
            instructions: Instructions::default().and_grant(None, expected),
        };
    }
    unknown_login(error, access, expected)
}

/// Whether a login was refused as the database is not there.
fn is_missing(error: &ConnectError) -> bool {
    error.code() == Some(&SqlState::INVALID_CATALOG_NAME)
}

/// Whether a login was refused as the database takes no connections.
fn is_closed(error: &ConnectError) -> bool {
    error.code() == Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE)
}

/// What is missing in the app's database, whose session this is, for the app to make its schema and extensions.
fn instructions_inside(session: &mut Session, expected: &Expected) -> Result<Instructions, SqlError> {
    let Expected { role, database, schema, .. } = expected;
    let names = [schema.as_str(), role.as_str(), role.as_str()];
    let row = prospect(session, &names)?;
    let owner = |column| Identifier::from_catalog(row.get::<_, String>(column)).to_string();
    let mut instructions = Instructions::default();
    if row.get("schema_exists") && !row.get::<_, bool>("is_usable") {
        let who = format!("{}, who owns schema {schema}, or a superuser", owner("schema_owner"));
        instructions = instructions.and_inside(database, ddl::grant_schema(schema, role), who);
    } else if !row.get::<_, bool>("schema_exists") && !row.get::<_, bool>("may_be_made") {
        instructions = instructions.and_grant(Some(&owner("database_owner")), expected);
    }
    if let Some(beyond) = in_transaction(session, |session, _| extension_beyond(session, role.as_str(), expected))? {
        instructions = instructions.and_inside(database, ddl::create_extension(&beyond.extension), "a superuser");
    }
    Ok(instructions)
}

/// What may become of the schema, asked of the app's own session or of an administrator's.
fn prospect(session: &mut Session, names: &[&str]) -> Result<Row, SqlError> {
    in_transaction(session, |session, _| query_one(session, include_str!("../sql/schema_prospect.sql"), names))
}

const IS_SUPERUSER: &str = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";

/// Options of the connection that lead elsewhere: no setting of ours could fix that.
pub(super) fn refuse_other_path(access: &Access, expected: &Expected) -> Result<(), ProvisionError> {
    let Some(asked) = access.app.options.get("search_path") else { return Ok(()) };
    // A schema named like the role is looked for first, and is seldom there.
    let first = path::schemas(asked).into_iter().find(|name| name != "$user");
    if first.as_deref() == Some(expected.schema.as_str()) {
        return Ok(());
    }
    Err(ProvisionError::PathInOptions { path: asked.to_owned(), schema: expected.schema.to_string() })
}

/// Nobody here may let the app make its schema: then it must be there, and the app's to use or the
/// administrator's to grant.
pub(super) fn refuse_hopeless_schema(
    connections: &mut Connections,
    cluster: &Cluster,
    access: &Access,
    expected: &Expected,
) -> Result<(), ProvisionError> {
    let Expected { role, database, schema, .. } = expected;
    let mut own = None;
    let session = in_database(connections, &mut own, access, expected)?;
    let names = [schema.as_str(), role.as_str(), cluster.administrator.as_str()];
    let row = prospect(session, &names)?;
    let is_there: bool = row.get("schema_exists");
    if row.get("may_be_made") || row.get("is_usable") || row.get("may_be_granted") {
        return Ok(());
    }
    let state = if is_there { "exists, and role" } else { "does not exist, and role" };
    let lack = if is_there { "may not create in it" } else { "may not create it" };
    let reason = format!(
        "schema {schema} of database {database} {state} {role} {lack}; {} may not grant that",
        connections.administrator.how
    );
    let mut instructions = Instructions::default();
    if !cluster.role_exists && !cluster.may_create_role {
        instructions = instructions.and_role(access, expected);
    }
    let owner = |column| Identifier::from_catalog(row.get::<_, String>(column)).to_string();
    instructions = match is_there {
        true => {
            let who = format!("{}, who owns schema {schema}, or a superuser", owner("schema_owner"));
            instructions.and_inside(database, ddl::grant_schema(schema, role), who)
        }
        false => instructions.and_grant(Some(&owner("database_owner")), expected),
    };
    Err(ProvisionError::NeedsAdministrator { reason, instructions })
}

/// An extension that cannot be made is known before anything else is.
pub(super) fn refuse_hopeless_extension(
    connections: &mut Connections,
    cluster: &Cluster,
    access: &Access,
    expected: &Expected,
) -> Result<(), ProvisionError> {
    let mut own = None;
    let session = match cluster.database_exists {
        true => in_database(connections, &mut own, access, expected)?,
        false => &mut connections.maintenance,
    };
    let beyond = in_transaction(session, |session, _| extension_beyond(session, &cluster.administrator, expected))?;
    let Some(beyond) = beyond else {
        return Ok(());
    };
    let name = beyond.extension;
    if !beyond.is_in_stock {
        return Err(ProvisionError::NotInStock { name: name.to_string() });
    }
    let role = Identifier::from_catalog(&cluster.administrator);
    Err(ProvisionError::NeedsAdministrator {
        reason: format!("extension {name} is missing, and role {role} may not create it"),
        instructions: Instructions::default().and_inside(
            &expected.database,
            ddl::create_extension(&name),
            "a superuser",
        ),
    })
}

/// A session in the app's database, which exists: the app's own, or one of the administrator's.
fn in_database<'a>(
    connections: &'a mut Connections,
    own: &'a mut Option<Session>,
    access: &Access,
    expected: &Expected,
) -> Result<&'a mut Session, ProvisionError> {
    if let Some(app) = &mut connections.app {
        return Ok(app);
    }
    let administrator = &connections.administrator;
    let session = administrator
        .connect(expected.database.as_str(), access.wait)
        .map_err(|error| ProvisionError::Administrator { how: administrator.how.clone(), error })?;
    Ok(own.insert(session))
}

/// The right to make what is missing, asked of the app's own session: what it lacks, in words, or `None`.
fn lacks(session: &mut Session, expected: &Expected, purpose: Purpose) -> Result<Option<String>, SqlError> {
    in_transaction(session, |session, _| lacks_within(session, expected, purpose))
}

fn lacks_within(session: &mut Session, expected: &Expected, purpose: Purpose) -> Result<Option<String>, SqlError> {
    let Expected { role, database, schema, .. } = expected;
    let row = query_one(session, include_str!("../facts/session.sql"), &[expected.schema.as_str()])?;
    let schema_is_usable = row.get::<_, bool>("schema_create") && row.get::<_, bool>("schema_usage");
    let schema_can_be_made = !row.get::<_, bool>("schema_exists") && row.get::<_, bool>("may_create_schema");
    let is_superuser: bool = row.get("is_superuser");
    Ok(match purpose {
        Purpose::Drop if is_superuser || row.get("owns_database") && may_create_databases(session)? => None,
        Purpose::Drop => Some(format!("role {role} may not drop database {database} and create it again")),
        Purpose::Provision | Purpose::Fix if is_superuser || schema_is_usable || schema_can_be_made => {
            extension_beyond(session, role.as_str(), expected)?.map(|UncreatableExtension { extension, .. }| {
                format!("extension {extension} is missing, and role {role} may not create it")
            })
        }
        Purpose::Provision | Purpose::Fix => {
            Some(format!("role {role} may not create in schema {schema} of database {database}"))
        }
    })
}

/// An extension that is missing, and that a role cannot make.
struct UncreatableExtension {
    extension: Identifier,
    /// Whether somebody else could: the server has its files.
    is_in_stock: bool,
}

/// The first extension that is missing and beyond a role; asked in the app's database, or anywhere where
/// there is none yet.
fn extension_beyond(
    session: &mut Session,
    role: &str,
    expected: &Expected,
) -> Result<Option<UncreatableExtension>, SqlError> {
    if expected.extensions.is_empty() {
        return Ok(None);
    }
    let wanted: Vec<_> = expected.extensions.iter().map(Identifier::as_str).collect();
    let parameters = [wanted.join("\n"), role.to_owned(), expected.database.as_str().to_owned()];
    let parameters = parameters.each_ref().map(String::as_str);
    let rows = query(session, include_str!("../sql/extensions_beyond.sql"), &parameters)?;
    Ok(rows.first().map(|row| UncreatableExtension {
        extension: Identifier::from_catalog(row.get::<_, String>(0)),
        is_in_stock: row.get(1),
    }))
}

fn may_create_databases(session: &mut Session) -> Result<bool, SqlError> {
    let sql = "SELECT rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user";
    Ok(query_one(session, sql, &[])?.get(0))
}
