//! `require_auth`: the ways to log in that a connection accepts (the manual's section 34.1.2).

use crate::{InvalidConnString, Parameters};

/// What a server may ask for before it lets a role in, as `require_auth` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// The password in clear text.
    Password,
    /// A hash of the password, which can be guessed offline.
    Md5,
    /// Kerberos.
    Gss,
    /// Windows' own.
    Sspi,
    /// A proof of the password, and the server gives one too.
    Scram,
    /// A token (libpq 18).
    Oauth,
    /// Nothing: `trust`, `peer`, `cert`.
    None,
}

const METHODS: [(&str, Method, &str); 7] = [
    ("password", Method::Password, "the password in clear text"),
    ("md5", Method::Md5, "an MD5 hash of the password"),
    ("gss", Method::Gss, "GSSAPI"),
    ("sspi", Method::Sspi, "SSPI"),
    ("scram-sha-256", Method::Scram, "SCRAM"),
    ("oauth", Method::Oauth, "an OAuth token"),
    ("none", Method::None, "no password"),
];

impl Method {
    /// In words, after "the server asks for".
    pub(crate) fn words(self) -> &'static str {
        METHODS.iter().find(|(_, method, _)| *method == self).map_or("", |(.., words)| words)
    }

    /// libpq's word for it.
    pub(crate) fn name(self) -> &'static str {
        METHODS.iter().find(|(_, method, _)| *method == self).map_or("", |(name, ..)| name)
    }
}

/// A list of methods: these and no other, or any but these (`!md5,!password`).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Methods {
    named: Vec<Method>,
    is_negated: bool,
}

impl Methods {
    /// What the parameters require; `None` where they leave it open.
    pub(crate) fn required(parameters: &Parameters) -> Result<Option<Self>, InvalidConnString> {
        let wrong = |reason: &str| Err(InvalidConnString::value("require_auth", reason));
        let Some(text) = parameters.get("require_auth") else { return Ok(None) };
        let is_negated = text.starts_with('!');
        let mut named = Vec::new();
        for word in text.split(',') {
            let name = word.strip_prefix('!').unwrap_or(word);
            let Some((_, method, _)) = METHODS.iter().find(|(known, ..)| *known == name) else {
                return wrong(
                    "names a method that libpq does not know: write password, md5, gss, sspi, scram-sha-256, oauth or \
                     none, comma-separated and without white space",
                );
            };
            if word.starts_with('!') != is_negated {
                return wrong("mixes methods with `!` and without: name those that are allowed, or those that are not");
            }
            if named.contains(method) {
                return wrong(&format!("names {name} more than once"));
            }
            named.push(*method);
        }
        Ok(Some(Self { named, is_negated }))
    }

    /// Whether a login may go by this method.
    pub(crate) fn allow(&self, method: Method) -> bool {
        self.named.contains(&method) != self.is_negated
    }

    /// Whether the list names this method as one that is allowed.
    pub(crate) fn name(&self, method: Method) -> bool {
        !self.is_negated && self.allow(method)
    }
}
