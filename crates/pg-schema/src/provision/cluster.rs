//! What an administrator's session sees of the whole server, roles and databases, and what it is to run.

use pg_config::{Identifier, Session};
use postgres::error::SqlState;

use super::{
    Access, Instructions, ProvisionError,
    error::{is_about_password, login_refused},
    refusal::Refusal,
    verifier,
};
use crate::{Administrator, Expected, ddl, query::query_one, sql_error::SqlError};

/// Roles and databases, and what the administrator may do about them.
pub(super) struct Cluster {
    pub(super) version_number: i32,
    pub(super) in_recovery: bool,
    pub(super) administrator: String,
    pub(super) server_started: String,
    pub(super) may_create_role: bool,
    pub(super) may_create_database: bool,
    pub(super) is_superuser: bool,
    pub(super) role_exists: bool,
    pub(super) role_may_login: bool,
    pub(super) may_alter_role: bool,
    /// Whether the locale of new databases cannot hold UTF-8.
    pub(super) needs_locale: bool,
    pub(super) database_exists: bool,
    /// Whether a reset may have left something that the next command is to look at.
    pub(super) is_interrupted: bool,
    pub(super) owns_database: bool,
    pub(super) has_database_privileges: bool,
}

impl Cluster {
    pub(super) fn read(session: &mut Session, expected: &Expected) -> Result<Self, SqlError> {
        let aside = ddl::set_aside_name(&expected.database);
        let names = [expected.role.as_str(), expected.database.as_str(), aside.as_str()];
        let row = query_one(session, include_str!("../sql/cluster.sql"), &names)?;
        Ok(Self {
            version_number: row.get("version_number"),
            in_recovery: row.get("in_recovery"),
            administrator: row.get("administrator"),
            server_started: row.get("server_started"),
            may_create_role: row.get("may_create_role"),
            may_create_database: row.get("may_create_database"),
            is_superuser: row.get("is_superuser"),
            role_exists: row.get("role_exists"),
            role_may_login: row.get("role_may_login"),
            may_alter_role: row.get("may_alter_role"),
            needs_locale: row.get::<_, Option<bool>>("needs_locale").unwrap_or(false),
            database_exists: row.get("database_exists"),
            is_interrupted: row.get("is_interrupted"),
            owns_database: row.get("owns_database"),
            has_database_privileges: row.get("has_database_privileges"),
        })
    }

    /// Whether the administrator may set a role's default privileges: it is that role, or a superuser.
    pub(super) fn acts_for(&self, role: &Identifier, expected: &Expected) -> bool {
        self.is_superuser || expected.administrator.as_ref() == Some(role)
    }

    /// Whether the administrator may grant on the database, which is or will be its own.
    pub(super) fn may_grant(&self) -> bool {
        !self.database_exists || self.owns_database || self.is_superuser
    }

    /// The statement that makes the app's database.
    pub(super) fn create_database(&self, database: &Identifier) -> String {
        match (self.needs_locale, self.version_number) {
            (false, _) => ddl::create_database(database),
            (true, version) => ddl::create_database_in_c(database, version),
        }
    }

    /// What the administrator runs in the maintenance database; or why it may not.
    pub(super) fn plan(
        &self,
        refusal: Option<Refusal>,
        administrator: &Administrator,
        access: &Access,
        expected: &Expected,
    ) -> Result<Vec<String>, ProvisionError> {
        let (role, database) = (&expected.role, &expected.database);
        // What is about to be made or granted is no reason to stop.
        let refusal = refusal.filter(|refusal| match refusal.error.code() {
            Some(code) if *code == SqlState::INVALID_CATALOG_NAME => false,
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => !self.may_grant(),
            _ => true,
        });
        let mut lacking = Vec::new();
        let mut statements = Vec::new();
        let mut instructions = Instructions::default();
        if !self.role_exists {
            let Some(verifier) = verifier(access) else {
                return Err(ProvisionError::NoPassword { role: role.to_string() });
            };
            if !self.may_create_role {
                lacking.push(format!("role {role} does not exist, and {} may not create it", administrator.how));
                instructions = instructions.and_role(access, expected);
            }
            statements.push(ddl::create_role(role, Some(&verifier)));
        } else if !self.role_may_login {
            if !self.may_alter_role {
                lacking.push(format!("role {role} may not log in, and {} may not allow it", administrator.how));
                instructions = instructions.and(ddl::allow_login(role), self.who_alters_role(role));
            }
            statements.push(ddl::allow_login(role));
        }
        if let Some(Refusal { error, cause, password_helps }) = refusal.filter(|_| self.role_exists) {
            match verifier(access) {
                Some(verifier) if access.may_set_password && password_helps && is_about_password(&error) => {
                    let statement = ddl::set_password(role, &verifier);
                    if !self.may_alter_role {
                        lacking.push(format!(
                            "{error}\n  note: {} may not change that role's password",
                            administrator.how
                        ));
                        instructions = instructions.and(statement.clone(), self.who_alters_role(role));
                    }
                    statements.push(statement);
                }
                // A role that could not log in may be able to once it is allowed to.
                _ if !self.role_may_login => {}
                _ => {
                    let who_else = (!self.may_alter_role).then(|| self.who_alters_role(role));
                    return Err(login_refused(error, expected, &[], administrator, (cause, who_else)));
                }
            }
        }
        if !self.database_exists {
            if !self.may_create_database {
                lacking
                    .push(format!("database {database} does not exist, and {} may not create it", administrator.how));
                instructions = instructions.and_database(expected);
            }
            statements.push(self.create_database(database));
        }
        if !self.has_database_privileges && self.may_grant() {
            statements.push(ddl::grant_database(database, role));
        }
        if lacking.is_empty() {
            return Ok(statements);
        }
        let reason = match lacking.as_slice() {
            [only] => only.clone(),
            several => format!("rights are missing for the setup\n  cause: {}", several.join("\n  cause: ")),
        };
        Err(ProvisionError::NeedsAdministrator { reason, instructions })
    }

    /// Who may let the role log in, and change its password.
    fn who_alters_role(&self, role: &Identifier) -> String {
        match self.version_number < 160_000 {
            true => "a role with CREATEROLE, or a superuser".to_owned(),
            false => format!("a role with CREATEROLE and ADMIN OPTION on {role}, or a superuser"),
        }
    }
}
