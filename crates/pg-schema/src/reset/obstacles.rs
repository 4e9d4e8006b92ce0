//! What is in the way of a reset.

use pg_config::{Identifier, Literal};

use super::ResetError;
use crate::{Connections, Expected, ddl, query::query};

/// Looks for what would refuse, or would be lost without a word; changes nothing, and sends nobody away.
pub fn refuse_blocked(connections: &mut Connections, expected: &Expected) -> Result<(), ResetError> {
    let database = &expected.database;
    let session = &mut connections.maintenance;
    let name = ddl::set_aside_name(database);
    if !query(session, "SELECT FROM pg_catalog.pg_database WHERE datname = $1", &[name.as_str()])?.is_empty() {
        return Err(ResetError::NameTaken(name));
    }
    let (mut what, mut help) = (String::new(), Vec::new());
    for row in query(session, include_str!("obstacles.sql"), &[database.as_str()])? {
        let (kind, name, detail): (&str, &str, &str) = (row.get("what"), row.get("name"), row.get("detail"));
        let (quoted, literal) = (Identifier::from_catalog(name), Literal(name));
        if kind == "owner" {
            what +=
                &format!(": role {} may not make a database of its owner {quoted}", Identifier::from_catalog(detail));
            help.push(format!("set ADMIN_DATABASE_URL to a connection of {quoted} or of a superuser"));
            continue;
        }
        what += &format!("\n  {kind} {quoted}: {detail}");
        help.push(match kind {
            "prepared transaction" => {
                format!("in {database}: COMMIT PREPARED {literal}; or ROLLBACK PREPARED {literal};")
            }
            "replication slot" => format!("if its reader is gone: SELECT pg_drop_replication_slot({literal});"),
            "subscription" => format!("in {database}: DROP SUBSCRIPTION {quoted};"),
            _ => format!("ALTER DATABASE {database} IS_TEMPLATE false;"),
        });
    }
    if let Some(app) = &mut connections.app
        && query(app, "SELECT pg_catalog.current_setting('default_transaction_read_only')", &[])?
            .first()
            .is_some_and(|row| row.get::<_, &str>(0) == "on")
    {
        what += "\n  default_transaction_read_only is on for the app's sessions: its migrations could write nothing";
        help.push(ddl::set_read_write(&expected.role, database) + ";");
    }
    if help.is_empty() {
        return Ok(());
    }
    Err(ResetError::Blocked { database: database.to_string(), what, help: help.join("\n  help: ") })
}
