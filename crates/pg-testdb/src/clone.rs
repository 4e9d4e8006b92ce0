//! Making and dropping databases, with all that `CREATE DATABASE … TEMPLATE` leaves behind.

use std::{
    thread,
    time::{Duration, Instant},
};

use pg_config::{Identifier, Literal, Session};
use pg_schema::{Administrator, elements, execute, query};
use postgres::{Row, error::SqlState};

use crate::{
    prepared,
    session::{is_refused, texts},
};

/// What `CREATE DATABASE … TEMPLATE` does not copy: settings of the database and of roles in it, privileges, and how
/// many may connect.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    /// The role, or nothing for the database's own; name and value.
    settings: Vec<(String, String)>,
    /// Whom, or nothing for everybody; what; whether they may grant it. `None`: what a database has by default.
    privileges: Option<Vec<(String, String, bool)>>,
    connection_limit: i32,
}

impl Missing {
    pub(crate) fn of(row: &Row) -> Self {
        let roles: Vec<String> = row.get("setting_roles");
        let texts: Vec<String> = row.get("setting_texts");
        let (grantees, privileges): (Vec<String>, Vec<String>) = (row.get("grantees"), row.get("privileges"));
        let options: Vec<bool> = row.get("options");
        let grants = grantees.into_iter().zip(privileges).zip(options);
        let grants: Vec<_> = grants.map(|((grantee, privileges), option)| (grantee, privileges, option)).collect();
        Self {
            settings: roles.into_iter().zip(texts).collect(),
            privileges: (!grants.is_empty()).then_some(grants),
            connection_limit: row.get("datconnlimit"),
        }
    }

    /// The statements that give it to a database.
    pub(crate) fn statements(&self, database: &Identifier, owner: &Identifier) -> String {
        let mut statements: Vec<_> = self.settings.iter().map(|(role, text)| setting(database, role, text)).collect();
        if let Some(privileges) = &self.privileges {
            // The owner's first: a grant to others is by them.
            statements.push(format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC, {owner}"));
            for (grantee, privileges, option) in privileges {
                let grantee = match grantee.as_str() {
                    "" => "PUBLIC".to_owned(),
                    role => Identifier::from_catalog(role).to_string(),
                };
                let option = if *option { " WITH GRANT OPTION" } else { "" };
                statements.push(format!("GRANT {privileges} ON DATABASE {database} TO {grantee}{option}"));
            }
        }
        // Always: a clone is made with another one.
        statements.push(format!("ALTER DATABASE {database} CONNECTION LIMIT {}", self.connection_limit));
        statements.iter().map(|statement| format!("{statement}; ")).collect()
    }
}

/// Those whose stored text is a list (`variable_is_guc_list_quote` of pg_dump): of names, and of files.
const NAMES: [&str; 2] = ["search_path", "temp_tablespaces"];
const FILES: [&str; 4] =
    ["local_preload_libraries", "session_preload_libraries", "shared_preload_libraries", "unix_socket_directories"];

/// `text` is `name=value`, as `pg_db_role_setting` holds it.
fn setting(database: &Identifier, role: &str, text: &str) -> String {
    let assignment = assignment(text);
    match role {
        "" => format!("ALTER DATABASE {database} SET {assignment}"),
        role => format!("ALTER ROLE {} IN DATABASE {database} SET {assignment}", Identifier::from_catalog(role)),
    }
}

/// The same of a role in every database.
pub(crate) fn setting_of_role(role: &Identifier, text: &str) -> String {
    format!("ALTER ROLE {role} SET {}", assignment(text))
}

fn assignment(text: &str) -> String {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let known = name.to_lowercase();
    let elements = match value {
        names if NAMES.contains(&known.as_str()) => elements(names, str::to_lowercase),
        files if FILES.contains(&known.as_str()) => elements(files, str::to_owned),
        value => vec![value.to_owned()],
    };
    // An element of a list is a literal too, as pg_dump has it: the stored text is not SQL.
    let value = match elements.as_slice() {
        [] => "''".to_owned(),
        elements => elements.iter().map(|element| Literal(element).to_string()).collect::<Vec<_>>().join(", "),
    };
    // An extension's has two parts.
    let name: Vec<_> = name.split('.').map(|part| Identifier::from_catalog(part).to_string()).collect();
    format!("{} TO {value}", name.join("."))
}

/// Ends the sessions of a database, and its prepared transactions, and drops it. None there: fine.
pub(crate) fn drop_database(
    session: &mut Session,
    administrator: &Administrator,
    database: &Identifier,
) -> anyhow::Result<()> {
    let prepared = "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database = $1";
    let prepared = query(session, prepared, &[database.as_str()])?;
    if !prepared.is_empty() {
        let mut inside = administrator.connect(database.as_str(), Duration::ZERO)?;
        for row in prepared {
            execute(&mut inside, &format!("ROLLBACK PREPARED {}", Literal(row.get::<_, &str>(0))))?;
        }
    }
    // Who is sent away may not come back in.
    match execute(session, &format!("ALTER DATABASE {database} WITH ALLOW_CONNECTIONS false")) {
        Err(error) if error.is(&SqlState::INVALID_CATALOG_NAME) => return Ok(()),
        outcome => outcome?,
    }
    end_sessions(&mut |sql| texts(session, sql), database, Duration::ZERO)?;
    Ok(execute(session, &format!("DROP DATABASE IF EXISTS {database}"))?)
}

/// Waits until nobody is connected to a database; who still is after `grace` is sent away. `false`: a prepared
/// transaction, or somebody whom we may not send away, stays.
pub(crate) fn end_sessions(
    texts: &mut dyn FnMut(&str) -> anyhow::Result<Vec<Option<String>>>,
    database: &Identifier,
    grace: Duration,
) -> anyhow::Result<bool> {
    let name = Literal(database.as_str()).to_string();
    let begun = Instant::now();
    let look = prepared::sessions(database);
    loop {
        let seen: Vec<_> = texts(&look)?.into_iter().flatten().collect();
        let none = |at: usize| seen.get(at).is_some_and(|count| count == "0");
        if !none(2) {
            return Ok(false);
        }
        if none(1) {
            return Ok(true);
        }
        // Autovacuum is nobody's, and waits for nothing.
        let everybody = begun.elapsed() >= grace;
        if everybody || none(0) {
            let whom = if everybody { "" } else { " AND usesysid IS NULL" };
            let end = format!(
                "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = {name}{whom}"
            );
            match texts(&end) {
                Err(error) if !is_refused(&error, &SqlState::INSUFFICIENT_PRIVILEGE) => return Err(error),
                _ => {}
            }
        }
        if begun.elapsed() > grace + Duration::from_secs(5) {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_pg_dump_does() {
        let database = Identifier::from_catalog("d");
        assert_eq!(
            setting(&database, "r", r#"search_path="$user", public"#),
            "ALTER ROLE r IN DATABASE d SET search_path TO '$user', 'public'"
        );
        assert_eq!(
            setting(&database, "r", "search_path=aura, x;ALTER/**/ROLE/**/u/**/SUPERUSER;--"),
            "ALTER ROLE r IN DATABASE d SET search_path TO 'aura', 'x;alter/**/role/**/u/**/superuser;--'"
        );
        assert_eq!(
            setting(&database, "", r#"session_preload_libraries=$libdir/Plugins/a, "b""#),
            "ALTER DATABASE d SET session_preload_libraries TO '$libdir/Plugins/a', 'b'"
        );
        assert_eq!(setting(&database, "", "work_mem=4 MB"), "ALTER DATABASE d SET work_mem TO '4 MB'");
        assert_eq!(setting(&database, "", "my.name=it's"), "ALTER DATABASE d SET my.name TO 'it''s'");
        assert_eq!(setting(&database, "", "search_path="), "ALTER DATABASE d SET search_path TO ''");
    }
}
