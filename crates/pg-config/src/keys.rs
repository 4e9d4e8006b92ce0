//! Every key of the configuration: the table that `.env.example` and the README repeat.

/// A key of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in the environment and in `.env`.
    pub name: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

const fn key(name: &'static str, meaning: &'static str) -> Key {
    Key { name, meaning }
}

/// Every key, in the order in which people need them.
pub const KEYS: &[Key] = &[
    key("DATABASE_URL", "the app's connection: role, password, host, port, database"),
    key("DB_NAME", "the database, where DATABASE_URL is unset"),
    key("DB_USER", "the app's role, where DATABASE_URL is unset"),
    key("DB_PASSWORD", "its password, where DATABASE_URL is unset"),
    key("DB_HOST", "the server, where DATABASE_URL is unset"),
    key("DB_PORT", "its port, where DATABASE_URL is unset"),
    key("ADMIN_DATABASE_URL", "a connection that may create roles and databases, used for provisioning only"),
    key("DB_SCHEMA", "the app's schema"),
    key("DB_EXTENSIONS", "extensions that the app needs, comma-separated"),
    key("DB_WRITE_ROLES", "further roles that read and write everything in the schema, comma-separated"),
    key("DB_READ_ROLES", "further roles that read everything in the schema, comma-separated"),
    key(
        "DB_DRIFT_IGNORE",
        "patterns of what may lie in the schema besides that which the migrations make, comma-separated",
    ),
    key("DB_OTHER_SCHEMAS", "further schemas that the app or its tools keep on purpose, comma-separated"),
    key("MIGRATE_COMMAND", "the app's migrations, run once by `sh -c` at the workspace's root"),
    key("MIGRATE_INPUTS", "globs of the files that the migrations are made of, comma-separated"),
    key("DB_SERVER", "where the server comes from: auto, env, container, local"),
    key("POSTGRES_IMAGE", "the container's image"),
    key("DB_DURABLE", "yes: servers that this tool starts survive a power cut; no: they are faster"),
    key("PG_BIN_DIR", "where initdb and postgres are"),
    key("DB_DATA_DIR", "where servers that this tool starts keep their files"),
    key("DEBUG", "the app's own, passed through untouched"),
    key("SECRET_KEY", "the app's own, passed through untouched"),
];
