//! The script that takes a move back.

use pg_config::Session;

use super::{Way, plan::Plan};
use crate::{commit::fate, ddl, query::query_one, sql_error::SqlError};

/// The line of a script that names the transaction of its move.
const TRANSACTION: &str = "-- the move was transaction ";

/// The transaction that a session is in, and the server: no other one has the like.
pub(super) fn transaction(session: &mut Session) -> Result<String, SqlError> {
    let id = query_one(session, "SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text", &[])?;
    let server = query_one(session, SERVER, &[])?;
    Ok(format!("{} of server {}", id.get::<_, &str>(0), server.get::<_, &str>(0)))
}

/// The number that a cluster has from its making on.
const SERVER: &str = "SELECT system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system()";

/// Whether a script is of a move that did not come about, as its session ended before: it takes nothing back.
pub fn is_of_nothing(session: &mut Session, script: &str) -> bool {
    let Some(named) = script.lines().find_map(|line| line.strip_prefix(TRANSACTION)) else { return false };
    let Some((id, server)) = named.split_once(" of server ") else { return false };
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    // The same number is another transaction's elsewhere. A server that does not know it says nothing of it.
    let is_here = query_one(session, SERVER, &[]).is_ok_and(|row| row.get::<_, &str>(0) == server);
    is_here && fate(session, id).as_deref() == Some("aborted")
}

/// The whole script, for psql.
pub fn script(plan: &Plan, transaction: &str, database: &str) -> String {
    let Plan { from, to, .. } = plan;
    let mut script = format!(
        "{}\n{}\n{}\n{TRANSACTION}{transaction}\n\\set ON_ERROR_STOP on\n",
        ddl::comment(&format!("takes back a move from schema {from} to {to} by cargo xtask db-move, all or nothing")),
        ddl::comment(&format!(
            "run it in database {database}, as the role that moved: psql -v ON_ERROR_STOP=1 -f FILE"
        )),
        match plan.way {
            Way::Rename => ddl::comment(&format!("what was made in {to} since then goes along")),
            Way::Statements => ddl::comment(&format!("what was made in {to} since then stays there")),
        },
    );
    if !plan.replaces.is_empty() {
        let words = format!("empty tables that were dropped are not made again: {}", plan.replaces.join(", "));
        script += &format!("{}\n", ddl::comment(&words));
    }
    script += &format!("BEGIN;\n{};\n", ddl::SAFE_PATH.replacen("SET", "SET LOCAL", 1));
    script += "SET LOCAL lock_timeout = '10s';\nSET LOCAL check_function_bodies = off;\n";
    for statement in plan.undo() {
        script += &format!("{statement};\n");
    }
    script + "COMMIT;\n"
}
