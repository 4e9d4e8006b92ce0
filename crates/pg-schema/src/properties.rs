//! What belongs to a database's row in the catalog rather than to what lies in it. `CREATE DATABASE … TEMPLATE` does not
//! copy it, and DROP DATABASE ends it.

use pg_config::{Identifier, Literal, Session};

use crate::{path::elements, query::query_one, sql_error::SqlError};

/// Settings of the database and of roles in it, privileges, and how many may connect.
#[derive(Clone, Debug)]
pub struct Properties {
    settings: Vec<Setting>,
    /// Whom, or nothing for everybody; what; whether they may grant it. `None`: what a database has by default.
    privileges: Option<Vec<(String, String, bool)>>,
    /// How many may connect; -1: no limit.
    pub connection_limit: i32,
}

/// A setting of a database, or of a role in it.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The role, or nothing for the database's own.
    pub(crate) role: String,
    /// `name=value`, as `pg_db_role_setting` holds it.
    pub(crate) text: String,
}

impl Setting {
    /// The statement that gives it to a database.
    pub(crate) fn statement(&self, database: &Identifier) -> String {
        let assignment = assignment(&self.text);
        match self.role.as_str() {
            "" => format!("ALTER DATABASE {database} SET {assignment}"),
            role => format!("ALTER ROLE {} IN DATABASE {database} SET {assignment}", Identifier::from_catalog(role)),
        }
    }
}

impl Properties {
    /// Reads those of a database that is there.
    pub fn read(session: &mut Session, database: &Identifier) -> Result<Self, SqlError> {
        let row = query_one(session, include_str!("sql/properties.sql"), &[database.as_str()])?;
        let roles: Vec<String> = row.get("setting_roles");
        let texts: Vec<String> = row.get("setting_texts");
        let (grantees, privileges): (Vec<String>, Vec<String>) = (row.get("grantees"), row.get("privileges"));
        let options: Vec<bool> = row.get("options");
        let grants = grantees.into_iter().zip(privileges).zip(options);
        let grants: Vec<_> = grants.map(|((grantee, privileges), option)| (grantee, privileges, option)).collect();
        Ok(Self {
            settings: roles.into_iter().zip(texts).map(|(role, text)| Setting { role, text }).collect(),
            privileges: (!grants.is_empty()).then_some(grants),
            connection_limit: row.get("datconnlimit"),
        })
    }

    /// The statements that give all of it to a database.
    pub fn statements(&self, database: &Identifier, owner: &Identifier) -> Vec<String> {
        let settings = self.settings.iter().map(|setting| setting.statement(database));
        let limit = format!("ALTER DATABASE {database} CONNECTION LIMIT {}", self.connection_limit);
        settings.chain(self.grants(database, owner)).chain([limit]).collect()
    }

    /// The settings.
    pub(crate) fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// Whether a database that is set up for a role has the same privileges by itself.
    pub(crate) fn has_usual_privileges(&self, owner: &Identifier, role: &Identifier) -> bool {
        let Some(privileges) = &self.privileges else { return true };
        let all = "CONNECT, CREATE, TEMPORARY";
        let mut usual = vec![("", "CONNECT, TEMPORARY"), (owner.as_str(), all), (role.as_str(), all)];
        usual.dedup();
        let is_usual = |(grantee, what, option): &(String, String, bool)| {
            !option && usual.contains(&(grantee.as_str(), what.as_str()))
        };
        privileges.len() == usual.len() && privileges.iter().all(is_usual)
    }

    /// The statements that give a database the privileges; none where they are what a database has by default.
    pub(crate) fn grants(&self, database: &Identifier, owner: &Identifier) -> Vec<String> {
        let Some(privileges) = &self.privileges else { return Vec::new() };
        // The owner's first: a grant to others is by them.
        let mut statements = vec![format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC, {owner}")];
        for (grantee, privileges, option) in privileges {
            let grantee = match grantee.as_str() {
                "" => "PUBLIC".to_owned(),
                role => Identifier::from_catalog(role).to_string(),
            };
            let option = if *option { " WITH GRANT OPTION" } else { "" };
            statements.push(format!("GRANT {privileges} ON DATABASE {database} TO {grantee}{option}"));
        }
        statements
    }
}

/// Those whose stored text is a list (`variable_is_guc_list_quote` of pg_dump): of names, and of files.
const NAMES: [&str; 2] = ["search_path", "temp_tablespaces"];
const FILES: [&str; 4] =
    ["local_preload_libraries", "session_preload_libraries", "shared_preload_libraries", "unix_socket_directories"];

/// The statement that gives a role a setting in every database; `text` is `name=value`, as `pg_db_role_setting` holds it.
pub fn set_of_role(role: &Identifier, text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_pg_dump_does() {
        let setting = |role: &str, text: &str| {
            Setting { role: role.to_owned(), text: text.to_owned() }.statement(&Identifier::from_catalog("d"))
        };
        assert_eq!(
            setting("r", r#"search_path="$user", public"#),
            "ALTER ROLE r IN DATABASE d SET search_path TO '$user', 'public'"
        );
        assert_eq!(
            setting("r", "search_path=aura, x;ALTER/**/ROLE/**/u/**/SUPERUSER;--"),
            "ALTER ROLE r IN DATABASE d SET search_path TO 'aura', 'x;alter/**/role/**/u/**/superuser;--'"
        );
        assert_eq!(
            setting("", r#"session_preload_libraries=$libdir/Plugins/a, "b""#),
            "ALTER DATABASE d SET session_preload_libraries TO '$libdir/Plugins/a', 'b'"
        );
        assert_eq!(setting("", "work_mem=4 MB"), "ALTER DATABASE d SET work_mem TO '4 MB'");
        assert_eq!(setting("", "my.name=it's"), "ALTER DATABASE d SET my.name TO 'it''s'");
        assert_eq!(setting("", "search_path="), "ALTER DATABASE d SET search_path TO ''");
    }
}
