//! What a project is: the few words in which one differs from the next.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;
use toml::de::{DeTable, DeValue};

/// A project whose tables live in a schema of their own. Its values are the defaults of the configuration.
///
/// It stands in the `Cargo.toml` of its workspace, where commands and test databases both find it:
///
/// ```toml
/// [workspace.metadata.database]
/// name = "aura"
/// database = "aura_db"
/// role = "aura_user"
/// schema = "aura"
/// migrate-command = "cargo run --quiet --package aura -- migrate"
/// migrate-inputs = "crates/aura/migrations/**"
/// migrate-build = "cargo build --quiet --package aura"
/// other-schemas = "graphile_worker, audit"
/// container-helper = "pg-container"
/// ```
#[derive(Clone, Debug)]
pub struct Project {
    /// A short name, for directories and messages: `aura`.
    pub name: String,
    /// The workspace's root: `.env` is read here, the migrate command runs here.
    pub root: PathBuf,
    /// Default of `DB_NAME`.
    pub database: String,
    /// Default of `DB_USER`.
    pub role: String,
    /// Default of `DB_SCHEMA`.
    pub schema: String,
    /// Default of `MIGRATE_COMMAND`.
    pub migrate_command: String,
    /// Default of `MIGRATE_INPUTS` beside the default command.
    pub migrate_inputs: String,
    /// What makes the default command quick to run: it takes long, needs no database, and so is run
    /// before the lock is taken.
    pub migrate_build: Option<String>,
    /// Default of `DB_OTHER_SCHEMAS`.
    pub other_schemas: Option<String>,
    /// The program that speaks to a container engine, whose `main` is `pg_container::main`: a package of the
    /// workspace, which is built when it is needed, or the path of a program. Without one no container is started.
    pub container_helper: Option<String>,
}

/// Why a workspace's project is not known.
#[derive(Debug, Error)]
pub enum ProjectError {
    /// No `Cargo.toml` has the table.
    #[error("no Cargo.toml in {directory} or above it has the table workspace.metadata.database", directory = .0.display())]
    Missing(PathBuf),
    /// A file that cannot be read.
    #[error("cannot read {path}\n  cause: {error}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        error: io::Error,
    },
    /// A file that says something else than a project.
    #[error("{path}: {reason}", path = .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Project {
    /// The project of the workspace that a directory lies in.
    pub fn find(directory: &Path) -> Result<Self, ProjectError> {
        for root in directory.ancestors() {
            if let Some(project) = Self::read(root)? {
                return Ok(project);
            }
        }
        Err(ProjectError::Missing(directory.to_owned()))
    }

    /// The project of a workspace's root; `None` where its `Cargo.toml` speaks of none, or is not there.
    fn read(root: &Path) -> Result<Option<Self>, ProjectError> {
        let path = root.join("Cargo.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ProjectError::Unreadable { path, error }),
        };
        Self::parse(&text, root).map_err(|reason| ProjectError::Wrong { path, reason })
    }

    fn parse(text: &str, root: &Path) -> Result<Option<Self>, String> {
        let document = DeTable::parse(text).map_err(|error| error.to_string())?;
        let mut table = document.get_ref();
        for key in TABLE {
            match table.get(key).map(|value| value.get_ref()) {
                Some(DeValue::Table(inner)) => table = inner,
                Some(_) => return Err(format!("{} is not a table", TABLE.join("."))),
                None => return Ok(None),
            }
        }
        let unknown = table.keys().find(|key| !KEYS.contains(&key.get_ref().as_ref()));
        if let Some(key) = unknown {
            return Err(format!(
                "{} has an unknown key: {}\n  help: the keys are {}",
                TABLE.join("."),
                key.get_ref(),
                KEYS.join(", ")
            ));
        }
        let optional = |key: &str| match table.get(key).map(|value| value.get_ref()) {
            Some(DeValue::String(text)) => Ok(Some(text.to_string())),
            Some(_) => Err(format!("{}.{key} is not a string", TABLE.join("."))),
            None => Ok(None),
        };
        let value = |key: &str| optional(key)?.ok_or_else(|| format!("{}.{key} is missing", TABLE.join(".")));
        Ok(Some(Self {
            name: value("name")?,
            root: root.to_owned(),
            database: value("database")?,
            role: value("role")?,
            schema: value("schema")?,
            migrate_command: value("migrate-command")?,
            migrate_inputs: value("migrate-inputs")?,
            migrate_build: optional("migrate-build")?,
            other_schemas: optional("other-schemas")?,
            container_helper: optional("container-helper")?,
        }))
    }
}

const TABLE: [&str; 3] = ["workspace", "metadata", "database"];

const KEYS: [&str; 9] = [
    "name",
    "database",
    "role",
    "schema",
    "migrate-command",
    "migrate-inputs",
    "migrate-build",
    "other-schemas",
    "container-helper",
];

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        [workspace]
        members = []
        [workspace.metadata.database]
        name = "shop"
        database = "shop_db"
        role = "shop_user"
        schema = "shop"
        migrate-command = "psql -f schema.sql"
        migrate-inputs = "schema.sql"
    "#;

    #[test]
    fn what_stands_there_is_read_and_what_is_wrong_is_named() {
        let parse = |text: &str| Project::parse(text, Path::new("/w"));
        let project = parse(WHOLE).unwrap().unwrap();
        assert_eq!((project.schema.as_str(), project.migrate_build, project.root), ("shop", None, "/w".into()));
        assert_eq!((project.container_helper, project.other_schemas), (None, None));
        let other = parse(&WHOLE.replace("role =", "other-schemas = \"a, b\"\nrole =")).unwrap().unwrap();
        assert_eq!(other.other_schemas.as_deref(), Some("a, b"));
        assert!(parse("[workspace]").unwrap().is_none());
        for (wrong, words) in [
            (WHOLE.replace("role =", "rule ="), "has an unknown key: rule"),
            (WHOLE.replace("role = \"shop_user\"", ""), "role is missing"),
            (WHOLE.replace("\"shop_db\"", "5"), "database is not a string"),
            (WHOLE.replace("\"shop_db\"", ""), "TOML parse error"),
        ] {
            assert!(parse(&wrong).unwrap_err().contains(words), "{words}");
        }
    }
}
