//! Rights come first: who is administrator, and what cannot be finished and so is not begun.

use pg_config::{ConnectError, Identifier, Session};
use postgres::error::SqlState;

use super::{Access, Connections, ProvisionError, Purpose, cluster::Cluster, maintenance, verifier};
use crate::{Administrator, Expected, administrator, path, query::query_one, script};

pub(super) fn app_as_administrator(access: &Access) -> Administrator {
    Administrator::given(access.app.with_database("postgres"), "the app's own connection")
}

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
    if purpose == Purpose::Mend
        && let Some(app) = app
    {
        // Whatever the app may not do itself is for the server's superuser, where it is on this machine.
        let is_superuser: bool = query_one(app, IS_SUPERUSER, &[])?.get(0);
        let superuser = (!is_superuser).then(|| administrator::local_superuser(&access.app)).flatten();
        return Ok(superuser.unwrap_or(itself));
    }
    let reason = match (app, refusal) {
        (Some(session), _) => match administrator::lacks(session, expected, purpose)? {
            None => return Ok(itself),
            Some(reason) => reason,
        },
        (None, Some(error)) if error.code() == Some(&SqlState::INVALID_CATALOG_NAME) => {
            if let Ok(mut session) = maintenance(access, expected, purpose, &itself)
                && Cluster::read(&mut session, expected)?.may_create_database
            {
                return Ok(itself);
            }
            format!("{error}, and the role may not create it")
        }
        // The server gives the same words for both.
        (None, Some(error)) if error.code() == Some(&SqlState::INVALID_PASSWORD) => format!(
            "{error}; its password is another (the script leaves that as it is: \\password {}), or it does not exist",
            expected.role
        ),
        (None, Some(error)) => error.to_string(),
        (None, None) => "the app's login was not tried".to_owned(),
    };
    administrator::local_superuser(&access.app).ok_or_else(|| ProvisionError::NeedsAdministrator {
        reason,
        script: script::whole(expected, verifier(access).as_deref()),
    })
}

const IS_SUPERUSER: &str = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";

/// Options of the connection that lead elsewhere: no setting of ours could mend that.
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
    let row = query_one(session, include_str!("../sql/schema_prospect.sql"), &names)?;
    let is_there: bool = row.get("schema_exists");
    if row.get("may_be_made") || row.get("is_usable") || row.get("may_be_granted") {
        return Ok(());
    }
    let state = if is_there { "exists, and role" } else { "does not exist, and role" };
    let lack = if is_there { "may not create in it" } else { "may not create it" };
    Err(ProvisionError::NeedsAdministrator {
        reason: format!(
            "schema {schema} of database {database} {state} {role} {lack}; {} may not grant that",
            connections.administrator.how
        ),
        script: script::whole(expected, verifier(access).as_deref()),
    })
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
    let Some(beyond) = administrator::extension_beyond(session, &cluster.administrator, expected)? else {
        return Ok(());
    };
    let name = beyond.extension;
    if !beyond.is_in_stock {
        return Err(ProvisionError::NotInStock { name: name.to_string() });
    }
    let role = Identifier::from_catalog(&cluster.administrator);
    Err(ProvisionError::NeedsAdministrator {
        reason: format!("extension {name} is missing, and role {role} may not create it"),
        script: script::whole(expected, verifier(access).as_deref()),
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
