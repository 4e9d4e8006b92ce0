//! What must be true: the names that everything else is made of.

use pg_config::{Digest, Identifier, Pattern};

/// What a project expects inside its server.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The app's role.
    pub role: Identifier,
    /// The app's database.
    pub database: Identifier,
    /// The app's schema.
    pub schema: Identifier,
    /// Extensions that the app needs, in `public`.
    pub extensions: Vec<Identifier>,
    /// Further roles that read and write everything in the schema.
    pub write_roles: Vec<Identifier>,
    /// Further roles that read everything in the schema.
    pub read_roles: Vec<Identifier>,
    /// Further schemas that the app or its tools keep on purpose: what lies there is in its place.
    pub other_schemas: Vec<Identifier>,
    /// The administrator's role, where it is known: what it makes in the schema must be the app's to use.
    pub administrator: Option<Identifier>,
    /// The digest of the migration inputs; `None` where no inputs are named.
    pub digest: Option<Digest>,
    /// Patterns of what may lie in the schema besides that which the migrations make.
    pub drift_ignore: Vec<Pattern>,
}

impl Expected {
    /// Whether a schema is one that the app or its tools keep on purpose, besides the app's own.
    pub(crate) fn keeps(&self, schema: Option<&Identifier>) -> bool {
        schema.is_some_and(|schema| self.other_schemas.contains(schema) || MIGRATION_TOOLS.contains(&schema.as_str()))
    }
}

/// Schemas that migration tools make for their books alone: where these are moved, the tool runs everything once more.
const MIGRATION_TOOLS: [&str; 4] = ["drizzle", "supabase_migrations", "graphile_migrate", "atlas_schema_revisions"];
