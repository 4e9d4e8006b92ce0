//! Why a connection string was refused.

use thiserror::Error;

use super::keyword;
use crate::ServiceError;

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
    #[error("the scheme `{0}` is not PostgreSQL's own: {1}")]
    Scheme(String, &'static str),
    /// A character that must be percent-encoded.
    #[error("{place} holds {found}: write it as {instead}")]
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
    #[error("the parameter `{0}` is not supported here: {1}")]
    Unsupported(&'static str, &'static str),
    /// A parameter of nobody's, whose name is no secret.
    #[error("libpq knows no parameter `{0}`{hint}", hint = keyword::nearest(.0))]
    Named(String),
    /// A parameter of nobody's. Its name is not shown: it may be the rest of a password.
    #[error(
        "it holds a parameter that libpq does not know (in a password, `&` must be percent-encoded in a URI; white space needs single quotes around the value in key=value pairs)"
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
