//! Why a connection string was refused, or the service that it names.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a connection string was refused. Holds no part of it that could be a password.
#[derive(Debug, Error)]
pub enum InvalidConnString {
    /// Neither a URI nor `key=value` pairs.
    #[error("it is neither a URI (postgresql://user:password@host:5432/database) nor key=value pairs")]
    Form,
    /// More, or less, than a connection string.
    #[error("{0}")]
    Paste(&'static str),
    /// Another tool's scheme, and what to do.
    #[error("the scheme `{0}` is not PostgreSQL's own\n  help: {1}")]
    Scheme(String, &'static str),
    /// A character that must be percent-encoded.
    #[error("{place} holds {found}\n  help: write it as {instead}")]
    Escape {
        /// The part of the URI.
        place: &'static str,
        /// The offending character, named.
        found: &'static str,
        /// Its percent-encoding.
        instead: &'static str,
    },
    /// A value that its key does not allow.
    #[error("`{key}` {reason}")]
    Value {
        /// The parameter's name, or the part of the URI.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A parameter that is not done here, or another tool's, and what to do.
    #[error("the parameter `{0}` is not supported here\n  help: {1}")]
    Unsupported(&'static str, &'static str),
    /// A parameter that libpq does not know, whose name is no secret, and what to do.
    #[error("libpq knows no parameter `{0}`{1}")]
    Named(String, String),
    /// A parameter of nobody's. Its name is not shown: it may be the rest of a password.
    #[error(
        "it holds a parameter that libpq does not know\n  help: in a URI, write `&` of a password as %26\n  help: in key=value pairs, put a value with white space in single quotes"
    )]
    Unknown,
    /// The service that it names.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl InvalidConnString {
    pub(crate) fn value(key: &'static str, reason: impl Into<String>) -> Self {
        Self::Value { key, reason: reason.into() }
    }

    /// The parameter that it is about.
    pub fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::Value { key, .. } => Some(key),
            Self::Unsupported(key, _) => Some(key),
            _ => None,
        }
    }
}

/// Why a service cannot be had.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// No file has it.
    #[error("the service `{name}` is defined in none of these files{}", .looked_at.iter().map(|path| format!("\n  - {}", path.display())).collect::<String>())]
    Unknown {
        /// Its name.
        name: String,
        /// The files that libpq would read, whether they are there or not.
        looked_at: Vec<PathBuf>,
    },
    /// A line of its definition that cannot be read. Its text is not shown: it may hold a password.
    #[error("{}, line {line}: {reason}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A file that is there and cannot be read.
    #[error("cannot read the service file {}\n  cause: {}", .0.display(), .1)]
    Unreadable(PathBuf, io::Error),
}
