//! What sessions wait for: locks that others hold, on tables above all.

use pg_config::Session;

use crate::{Expected, query::query, sql_error::SqlError, transaction::in_transaction};

/// Who holds the locks that the app's sessions in its database, or this session's role, have waited for for some
/// seconds: its process, 0 for a prepared transaction, and words with what ends it.
pub fn lock_waits(session: &mut Session, expected: &Expected) -> Result<Vec<(i32, String)>, SqlError> {
    let names = [expected.database.as_str(), expected.role.as_str()];
    let rows = in_transaction(session, |session, _| query(session, include_str!("sql/lock_waits.sql"), &names))?;
    Ok(rows
        .iter()
        .map(|row| {
            let pid: i32 = row.get("pid");
            if pid == 0 {
                let words =
                    "a prepared transaction (see pg_prepared_xacts); COMMIT PREPARED or ROLLBACK PREPARED ends it";
                return (pid, words.to_owned());
            }
            let [role, application, since, state, statement] =
                ["role", "application", "since", "state", "statement"].map(|column| row.get::<_, String>(column));
            let parts = [("role ", role), ("application ", application), ("since ", since), ("", state)];
            let (known, statement) = (known(&parts), summary(&statement));
            (
                pid,
                format!("process {pid} of the server ({known}){statement}; SELECT pg_terminate_backend({pid}) ends it"),
            )
        })
        .collect())
}

/// What is known of a session, each with its name before it.
pub(crate) fn known(parts: &[(&str, String)]) -> String {
    let known = parts.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}{value}"));
    known.collect::<Vec<_>>().join(", ")
}

/// The beginning of a statement, on one line, without a password.
fn summary(statement: &str) -> String {
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = line.to_ascii_uppercase().find("PASSWORD").unwrap_or(line.len());
    let line: String = line[..end].chars().take(100).collect();
    if line.is_empty() { line } else { format!(": {}", line.trim_end()) }
}
