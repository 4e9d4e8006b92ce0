//! An engine that is meant, and who named it.

use std::{fmt, path::PathBuf};

use super::{
    EngineError,
    endpoint::Endpoint,
    http::{self, Answer, Bounds, Question, Trouble},
    text::clean,
};

/// An engine that is meant, before anybody asked it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) endpoint: Endpoint,
    /// The directory of `ca.pem`, `cert.pem` and `key.pem`, if it speaks TLS.
    pub(super) tls: Option<PathBuf>,
    pub(super) naming: Naming,
}

impl Target {
    pub(super) fn ask(&self, question: &Question<'_>, bounds: Bounds) -> Result<Answer, Trouble> {
        http::ask(&self.endpoint, self.tls.as_deref(), question, bounds)
    }
}

/// Who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// `DOCKER_HOST`.
    DockerHost,
    /// `DOCKER_CONTEXT`, this context.
    ContextVariable(String),
    /// `config.json`, this context.
    CurrentContext(String),
    /// Nobody: the socket is a usual one.
    Usual,
    /// We, when we used it.
    Recorded,
}

impl Naming {
    /// The subject of a sentence about what is wrong.
    pub(super) fn subject(&self, host: &str) -> String {
        let host = clean(host);
        match self {
            Self::DockerHost => format!("DOCKER_HOST is {host}"),
            Self::ContextVariable(name) | Self::CurrentContext(name) => {
                format!("the docker context {} is {host}", clean(name))
            }
            Self::Usual => format!("{} is there", host.strip_prefix("unix://").unwrap_or(&host)),
            Self::Recorded => format!("the engine used last time is {host}"),
        }
    }

    pub(super) fn context(&self) -> Option<&str> {
        match self {
            Self::ContextVariable(name) | Self::CurrentContext(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn wrong_context(&self, name: &str, what: &str) -> EngineError {
        let name = clean(name);
        let reason = match self {
            Self::ContextVariable(_) => format!("DOCKER_CONTEXT is {name}, and {what}"),
            _ => format!("the current docker context is {name}, and {what}"),
        };
        EngineError::new(
            reason,
            "list the contexts: docker context ls\n  help: use the default one: docker context use default",
        )
    }
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DockerHost => f.write_str("named by DOCKER_HOST"),
            Self::ContextVariable(name) => write!(f, "the docker context {}, named by DOCKER_CONTEXT", clean(name)),
            Self::CurrentContext(name) => write!(f, "the docker context {}", clean(name)),
            Self::Usual => f.write_str("its usual place"),
            Self::Recorded => f.write_str("the engine used last time"),
        }
    }
}

/// testcontainers wants all three.
pub(super) fn certificates(directory: PathBuf) -> Result<PathBuf, EngineError> {
    match ["ca.pem", "cert.pem", "key.pem"].iter().find(|name| !directory.join(name).is_file()) {
        None => Ok(directory),
        Some(missing) => Err(EngineError::new(
            format!("TLS needs {}, which is not there", directory.join(missing).display()),
            "set DOCKER_CERT_PATH to the directory of ca.pem, cert.pem and key.pem",
        )),
    }
}
