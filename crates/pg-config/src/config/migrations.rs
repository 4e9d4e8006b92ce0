//! How the app's migrations are run, and what of that is shown.

use std::path::{Path, PathBuf};

use super::{Sourced, list, or_default, text};
use crate::{Digest, Environment, InputsError, Project, Source, inputs::files};

/// How the app's migrations are run.
#[derive(Clone, Debug)]
pub struct Migrations {
    /// Run once by `sh -c` at the workspace's root.
    pub command: Sourced<String>,
    /// The command as it was written: no reference in `.env` has become a value, and it ends where a
    /// password may begin.
    pub written: String,
    /// Globs of their files; none: they are never skipped.
    pub inputs: Option<Sourced<Vec<String>>>,
}

impl Migrations {
    pub(super) fn resolve(project: &Project, environment: &Environment) -> Self {
        let command = or_default(text(environment, "MIGRATE_COMMAND"), &project.migrate_command);
        let inputs = text(environment, "MIGRATE_INPUTS").or_else(|| {
            (command.value == project.migrate_command)
                .then(|| Sourced { value: project.migrate_inputs.clone(), source: Source::Default })
        });
        let inputs = inputs
            .map(|found| Sourced { value: list(&found.value).map(str::to_owned).collect(), source: found.source });
        let referring = match command.source {
            Source::File(key, _) => environment.written(key).filter(|written| written.contains('$')),
            _ => None,
        };
        let written = masked(referring.unwrap_or(&command.value));
        Self { command, written, inputs }
    }

    /// Which command it is, in words that hold nothing of it: it may hold passwords.
    pub fn named(&self) -> String {
        match &self.command.source {
            Source::Default => "the default MIGRATE_COMMAND".to_owned(),
            source => source.to_string(),
        }
    }

    /// The files of the inputs; `None` where no inputs are named.
    pub fn files(&self, root: &Path) -> Result<Option<Vec<PathBuf>>, InputsError> {
        self.inputs.as_ref().map(|inputs| files(root, &inputs.value)).transpose()
    }

    /// The digest of command and inputs; `None` where no inputs are named.
    pub fn digest(&self, root: &Path) -> Result<Option<Digest>, InputsError> {
        self.inputs.as_ref().map(|inputs| Digest::of(root, &self.command.value, &inputs.value)).transpose()
    }
}

/// A command up to the first place where a password may begin: in a URL with an `@`, after a word that holds `passw`.
fn masked(command: &str) -> String {
    let url = command.find("://").filter(|at| command[*at..].contains('@')).map(|at| at + "://".len());
    // Same length: only ASCII letters change.
    let word = command.to_ascii_lowercase().find("passw");
    match url.into_iter().chain(word).min() {
        Some(end) => format!("{}***", &command[..end]),
        None => command.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_command_is_shown_up_to_the_first_password() {
        for (command, shown) in [
            ("cargo run -- migrate", "cargo run -- migrate"),
            ("curl https://example.com | sh", "curl https://example.com | sh"),
            ("psql -f a@b.sql", "psql -f a@b.sql"),
            ("psql 'postgres://u:s3cret@h/d' -c x", "psql 'postgres://***"),
            ("a://h && psql b://u:s3 cr/et@h", "a://***"),
            ("psql 'postgres://h/d?password=s3cret'", "psql 'postgres://h/d?***"),
            ("PGPASSWORD='s3 cret' psql", "PG***"),
            ("run --passwd s3cret", "run --***"),
            ("é Password = s3cret", "é ***"),
        ] {
            assert_eq!(masked(command), shown);
        }
    }
}
