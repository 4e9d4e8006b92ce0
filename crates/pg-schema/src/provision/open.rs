//! Opening the connections of a setup, and finding out whose they are. Changes nothing.

use std::time::Duration;

use pg_config::{Session, connect};

use super::{
    Access, Connections, ProvisionError, Purpose,
    cluster::Cluster,
    connections::{connect_app, maintenance, refuse_pooler},
    error::options_refused,
    rights::{find_administrator, refuse_other_path},
};
use crate::{Expected, lock, lock::LockError, query::settled};

/// Opens the connections and finds out who is administrator. Changes nothing.
pub fn open(access: &Access, expected: &Expected, purpose: Purpose) -> Result<Connections, ProvisionError> {
    if purpose != Purpose::Fix {
        refuse_other_path(access, expected)?;
    }
    let (mut app, refusal) = match connect_app(access, None) {
        Ok(session) => (Some(session), None),
        Err(error) if error.is_refused_parameter() => return Err(options_refused(error, expected)),
        // A damaged database can still be dropped.
        Err(error) if error.is_refusal() || (error.is_damage() && purpose == Purpose::Drop) => (None, Some(error)),
        Err(error) => return Err(ProvisionError::Connect(error)),
    };
    let administrator = match &access.administrator {
        Some(administrator) => administrator.clone(),
        None => find_administrator(access, expected, purpose, app.as_mut(), refusal.as_ref())?,
    };
    if app.is_none() || administrator.connection.address() != access.app.address() {
        refuse_pooler(access, &administrator.connection).map_err(ProvisionError::Connect)?;
    }
    let mut maintenance = maintenance(access, expected, purpose, &administrator)?;
    if purpose == Purpose::Drop && !Cluster::read(&mut maintenance, expected)?.may_create_database {
        let database = expected.database.to_string();
        return Err(ProvisionError::MayNotRecreate { how: administrator.how, database });
    }
    Ok(Connections { maintenance, administrator, inside: None, app, refusal, cluster: None })
}

/// Waits for the lock, where another command has it as far as the app's or the administrator's connection can tell. What
/// is seen while a database is made is no finding: who looks again holds the session, and with it the lock.
pub fn wait_for_others(
    access: &Access,
    command: &str,
    wait: Duration,
    say: &mut dyn FnMut(&str),
) -> Result<Option<Session>, LockError> {
    // As all that set up agree on.
    let database = "postgres";
    let session = match &access.administrator {
        Some(administrator) => administrator.connect(database, Duration::ZERO),
        None => connect(&access.app.with_database(database)).map(settled),
    };
    let Ok(mut session) = session else { return Ok(None) };
    if !lock::is_held(&mut session)? {
        return Ok(None);
    }
    lock::acquire(&mut session, command, wait, say)?;
    Ok(Some(session))
}
