//! The files that the migrations are made of, and their digest.

use std::{fmt, io, path::Path, path::PathBuf};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// A digest of the migrate command and of its input files' names and contents: 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(String);

/// Why there is no digest.
#[derive(Debug, Error)]
pub enum InputsError {
    /// The pattern is no glob.
    #[error("MIGRATE_INPUTS: `{pattern}` is not a valid glob\n  cause: {error}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The parser's words.
        error: glob::PatternError,
    },
    /// A pattern that matches nothing would let an edited migration pass unseen.
    #[error("MIGRATE_INPUTS: `{pattern}` matches no file below {root}", root = .root.display())]
    NoFile {
        /// The pattern.
        pattern: String,
        /// The workspace's root.
        root: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read the migration input {path}\n  cause: {error}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        error: io::Error,
    },
}

impl Digest {
    /// Digests the command and the files that the globs match below `root`; the order of the globs
    /// and of the directory's entries makes no difference.
    pub fn of(root: &Path, command: &str, globs: &[String]) -> Result<Self, InputsError> {
        let files = files(root, globs)?;
        let mut digest = Sha256::new();
        // Each part goes in with its length before it, so that no two lists of files look the same.
        let mut add = |part: &[u8]| {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            digest.update(part);
        };
        add(command.as_bytes());
        for path in files {
            let content =
                std::fs::read(&path).map_err(|error| InputsError::Unreadable { path: path.clone(), error })?;
            add(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().as_bytes());
            add(&content);
        }
        Ok(Self(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// A digest that was written down before.
    pub fn from_text(text: &str) -> Option<Self> {
        (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| Self(text.to_owned()))
    }
}

/// The files that the globs match below `root`, in order.
pub(crate) fn files(root: &Path, globs: &[String]) -> Result<Vec<PathBuf>, InputsError> {
    let mut files = Vec::new();
    for pattern in globs {
        // The crate's trailing `**` matches directories alone; everybody else means the files below.
        let files_below = if pattern.ends_with("**") { "/*" } else { "" };
        let anchored = format!("{}/{pattern}{files_below}", glob::Pattern::escape(&root.to_string_lossy()));
        let found = glob::glob(&anchored)
            .map_err(|error| InputsError::Pattern { pattern: pattern.clone(), error })?
            .map(|entry| entry.map_err(|e| InputsError::Unreadable { path: e.path().into(), error: e.into() }))
            .collect::<Result<Vec<_>, _>>()?;
        let before = files.len();
        files.extend(found.into_iter().filter(|path| path.is_file()));
        if files.len() == before {
            return Err(InputsError::NoFile { pattern: pattern.clone(), root: root.to_owned() });
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_with_every_file_and_with_nothing_else() {
        let root = std::env::temp_dir().join(format!("pg-config-inputs-{}", std::process::id()));
        std::fs::create_dir(&root).unwrap();
        std::fs::create_dir_all(root.join("migrations/deep")).unwrap();
        std::fs::write(root.join("migrations/V1.sql"), "one").unwrap();
        std::fs::write(root.join("migrations/deep/V2.sql"), "two").unwrap();
        std::fs::write(root.join("other"), "x").unwrap();
        let digest = |command: &str| Digest::of(&root, command, &["migrations/**".to_owned()]).unwrap();
        let before = digest("run");
        assert_eq!(before, digest("run"));
        assert_ne!(before, digest("run it"));
        std::fs::write(root.join("other"), "y").unwrap();
        assert_eq!(before, digest("run"));
        std::fs::write(root.join("migrations/deep/V2.sql"), "two!").unwrap();
        assert_ne!(before, digest("run"));
        assert!(Digest::of(&root, "run", &["nothing/**".to_owned()]).is_err());
        assert_eq!(Digest::from_text(&before.to_string()), Some(before));
        std::fs::remove_dir_all(root).unwrap();
    }
}
