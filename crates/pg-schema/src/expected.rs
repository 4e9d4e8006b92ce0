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
    /// The administrator's role, where it is known: what it makes in the schema must be the app's to use.
    pub administrator: Option<Identifier>,
    /// The digest of the migration inputs; `None` where no inputs are named.
    pub digest: Option<Digest>,
    /// Patterns of what may lie in the schema besides that which the migrations make.
    pub drift_ignore: Vec<Pattern>,
}
