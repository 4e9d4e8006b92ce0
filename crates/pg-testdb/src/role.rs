//! The app's role, which no test database isolates: what a test changes of it for everybody is put back.

use pg_config::{Identifier, Literal, Session};
use pg_schema::{ddl::set_of_role, execute, query};

/// Its password's verifier and its settings in all databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    verifier: Option<String>,
    settings: Vec<String>,
}

impl Role {
    /// Reads it, as superuser; `None` where there is none yet.
    pub(crate) fn read(session: &mut Session, role: &str) -> anyhow::Result<Option<Self>> {
        let rows = query(session, include_str!("sql/role.sql"), &[role])?;
        Ok(rows.first().map(|row| Self { verifier: row.get("verifier"), settings: row.get("settings") }))
    }

    /// Makes the role that, where it is something else.
    pub(crate) fn restore(&self, session: &mut Session, role: &str) -> anyhow::Result<()> {
        let now = Self::read(session, role)?;
        if now.as_ref() == Some(self) || now.is_none() {
            return Ok(());
        }
        let name = Identifier::from_catalog(role);
        let password = self.verifier.as_deref().map_or("NULL".to_owned(), |verifier| Literal(verifier).to_string());
        let settings = self.settings.iter().map(|text| set_of_role(&name, text));
        let statements = [format!("ALTER ROLE {name} PASSWORD {password}"), format!("ALTER ROLE {name} RESET ALL")];
        Ok(execute(session, &statements.into_iter().chain(settings).collect::<Vec<_>>().join("; "))?)
    }
}
