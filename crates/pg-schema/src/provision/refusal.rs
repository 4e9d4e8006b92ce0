//! A refused login as an administrator sees it: the server tells the client no more than it must.

use pg_config::{ConnectError, Session};
use postgres::error::SqlState;

use super::error::is_about_password;
use crate::{
    Expected,
    query::{query, query_one},
    sql_error::SqlError,
    transaction::in_transaction,
};

/// A refused login, and what an administrator's session says of it.
pub(super) struct Refusal {
    /// The server's words.
    pub(super) error: ConnectError,
    /// Why, and what to do; nothing where no cause was seen.
    pub(super) cause: Option<String>,
    /// Whether another password may help.
    pub(super) password_helps: bool,
}

/// How many lines of `pg_hba.conf` are shown.
const MOST_RULES: usize = 5;

impl Refusal {
    /// Looks for the cause. What cannot be seen is left open.
    pub(super) fn look(error: ConnectError, session: &mut Session, expected: &Expected) -> Self {
        let seen = in_transaction(session, |session, _| look(&error, session, expected)).ok().flatten();
        let (cause, password_helps) = seen.map_or((None, true), |(cause, helps)| (Some(cause), helps));
        Self { error, cause, password_helps }
    }
}

/// The cause, and whether another password helps.
fn look(error: &ConnectError, session: &mut Session, expected: &Expected) -> Result<Option<(String, bool)>, SqlError> {
    let Expected { role, database, .. } = expected;
    let rows = query(session, include_str!("../sql/login.sql"), &[role.as_str()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    if is_about_password(error) {
        if row.get::<_, Option<bool>>("has_expired") == Some(true) {
            let until: String = row.get("valid_until");
            let cause = format!(
                "the password of role {role} expired at {until} (VALID UNTIL), and another password would have expired too; \
                 have an administrator run: ALTER ROLE {role} VALID UNTIL 'infinity'; or give it a later time"
            );
            return Ok(Some((cause, false)));
        }
        if row.get("sees_passwords") {
            let sql = "SELECT rolpassword IS NULL FROM pg_catalog.pg_authid WHERE rolname = $1";
            let has_none: bool = query_one(session, sql, &[role.as_str()])?.get(0);
            let cause = format!("role {role} has no password: run cargo xtask db-setup --set-password");
            return Ok(has_none.then_some((cause, true)));
        }
        return Ok(None);
    }
    if error.code() != Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) || !row.get::<_, bool>("sees_rules") {
        return Ok(None);
    }
    let rules = query(session, include_str!("../sql/login_rules.sql"), &[role.as_str(), database.as_str()])?;
    let rule = |row: &postgres::Row| match row.get::<_, Option<String>>("error") {
        Some(error) => format!("line {}: {error}", row.get::<_, i32>("line_number")),
        None => format!("line {}: {}", row.get::<_, i32>("line_number"), row.get::<_, String>("rule")),
    };
    let shown: String = rules.iter().take(MOST_RULES).map(|row| format!("\n        {}", rule(row))).collect();
    let cause = match rules.is_empty() {
        true => {
            format!("no line of pg_hba.conf is for role {role} and database {database}: add one, and reload the server")
        }
        false => format!(
            "the first line of pg_hba.conf that fits decides; those that may be for role {role} and database {database}:{shown}"
        ),
    };
    Ok(Some((cause, false)))
}
