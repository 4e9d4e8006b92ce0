//! What is missing, and that nobody here may do: the exact statements, and who may run each.

use std::fmt;

use pg_config::Identifier;

use super::{Access, verifier};
use crate::{Expected, ddl};

/// The statements that are left to somebody with more rights, as SQL that they can read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instructions(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    statement: String,
    /// Who may run it, in words.
    who: String,
    /// Whether it is run in the app's database; else in any.
    database: Option<String>,
}

impl Instructions {
    /// A statement about roles or databases, which any database serves for.
    pub(super) fn and(mut self, statement: String, who: impl Into<String>) -> Self {
        self.0.push(Step { statement, who: who.into(), database: None });
        self
    }

    /// A statement about what lies in the app's database.
    pub(super) fn and_inside(mut self, database: &Identifier, statement: String, who: impl Into<String>) -> Self {
        self.0.push(Step { statement, who: who.into(), database: Some(database.to_string()) });
        self
    }

    /// The role that does not exist.
    pub(super) fn and_role(self, access: &Access, expected: &Expected) -> Self {
        let statement = ddl::create_role(&expected.role, verifier(access).as_deref());
        self.and(statement, "a role with CREATEROLE, or a superuser")
    }

    /// The database that does not exist, and what the app needs on it: whoever makes it may grant that.
    pub(super) fn and_database(self, expected: &Expected) -> Self {
        let Expected { role, database, .. } = expected;
        let who = "a role with CREATEDB, or a superuser";
        self.and(ddl::create_database(database), who).and(ddl::grant_database(database, role), who)
    }

    /// What the app needs on a database that is there, and whose owner may be unknown.
    pub(super) fn and_grant(self, owner: Option<&str>, expected: &Expected) -> Self {
        let statement = ddl::grant_database(&expected.database, &expected.role);
        let database = &expected.database;
        self.and(
            statement,
            match owner {
                Some(owner) => format!("{owner}, who owns database {database}, or a superuser"),
                None => format!("the owner of database {database}, or a superuser"),
            },
        )
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = String::new();
        for Step { statement, who, database } in &self.0 {
            let place = database.as_ref().map_or_else(String::new, |name| format!(", in database {name}"));
            let whose = ddl::comment(&format!("by {who}{place}:"));
            if whose != last {
                writeln!(f, "  {whose}")?;
                last = whose;
            }
            writeln!(f, "  {statement};")?;
        }
        Ok(())
    }
}
