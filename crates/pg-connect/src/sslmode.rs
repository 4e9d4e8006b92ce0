//! libpq's `sslmode`.

use std::fmt;

use crate::{InvalidConnString, Parameters};

/// libpq's `sslmode` (the manual's section 34.19, table 34.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum SslMode {
    /// Never encrypt.
    Disable,
    /// Encrypt where the server takes nothing else.
    Allow,
    /// Encrypt where the server offers it.
    #[default]
    Prefer,
    /// Encrypt or fail; the certificate is verified where a root certificate is at hand.
    Require,
    /// The certificate must come from somebody whom the root certificates trust.
    VerifyCa,
    /// And it must be for the host that was asked for.
    VerifyFull,
}

impl SslMode {
    pub(crate) fn of(parameters: &Parameters) -> Result<Self, InvalidConnString> {
        let invalid = |reason: &str| Err(InvalidConnString::value("sslmode", reason));
        let is_system = parameters.get("sslrootcert") == Some("system");
        let mode = match parameters.get("sslmode") {
            None if is_system => Self::VerifyFull,
            None => Self::Prefer,
            Some("disable") => Self::Disable,
            Some("allow") => Self::Allow,
            Some("prefer") => Self::Prefer,
            Some("require") => Self::Require,
            Some("verify-ca") => Self::VerifyCa,
            Some("verify-full") => Self::VerifyFull,
            Some("no-verify") => return invalid("no-verify is not PostgreSQL's: write require"),
            Some(_) => return invalid("is none of disable, allow, prefer, require, verify-ca, verify-full"),
        };
        if is_system && mode != Self::VerifyFull {
            return invalid("must be verify-full with sslrootcert=system: anyone can get a certificate from there");
        }
        Ok(mode)
    }

    /// libpq's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
