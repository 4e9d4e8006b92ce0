//! The books of a migration tool: the rows that count as contents.

use pg_config::{Identifier, Literal};

/// A table in which a migration tool keeps what it has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Book {
    table: Identifier,
    /// What tells one migration from another.
    column: Identifier,
}

impl Book {
    /// Of `table.column`; none of the tables that are known has a dot in its name. Without a column it cannot be read.
    pub(crate) fn at(place: &str) -> Option<Self> {
        let (table, column) = place.split_once('.')?;
        Some(Self { table: Identifier::from_catalog(table), column: Identifier::from_catalog(column) })
    }

    /// Whether the app's role may read it.
    pub(crate) fn is_readable(&self) -> bool {
        !self.column.as_str().is_empty()
    }

    /// Its rows as lines of contents. Of Django a migration's name is its app's too.
    pub(super) fn lines(&self, schema: &Identifier) -> String {
        let Self { table, column } = self;
        let name = match table.as_str() {
            "django_migrations" => format!("pg_catalog.concat(app, '.', {column})"),
            _ => format!("{column}::text"),
        };
        format!(
            "SELECT 'migration'::text, {}::text, {name}, '-'::text, NULL::text FROM {schema}.{table} WHERE {column} IS NOT NULL",
            Literal(table.as_str())
        )
    }
}
