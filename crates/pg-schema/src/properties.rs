//! What belongs to a database's row in the catalog rather than to what lies in it. `CREATE DATABASE … TEMPLATE` does not
//! copy it, and DROP DATABASE ends it.

use pg_config::{Identifier, Session};

use crate::{ddl, query::query_one, sql_error::SqlError};

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
        let role = (!self.role.is_empty()).then(|| Identifier::from_catalog(self.role.as_str()));
        ddl::set_in_database(role.as_ref(), database, &self.text)
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
        let limit = ddl::limit_connections(database, self.connection_limit);
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
        ddl::grant_database_exactly(database, owner, privileges)
    }
}
