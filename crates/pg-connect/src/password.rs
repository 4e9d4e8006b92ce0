//! A password: shown to a server and to whoever asks for it by name, to nobody else.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// A password. `Debug` and `Display` print `***`, so that it reaches no log and no error by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps a password in clear.
    pub fn new(clear: impl Into<String>) -> Self {
        Self(clear.into())
    }

    /// A fresh one of 128 random bits, as 32 hexadecimal digits: it needs no escaping anywhere.
    pub fn generate() -> Self {
        Self(random_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The password in clear. Each caller is a place to look at in a review.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the server stores (`SCRAM-SHA-256$4096:…`): given instead of the password, it keeps the
    /// clear text out of the statement, and so out of the server's log.
    pub fn verifier(&self) -> String {
        postgres_protocol::password::scram_sha_256(self.0.as_bytes())
    }

    /// A verifier with one iteration, for a [generated](Self::generate) password only.
    ///
    /// Iterations slow down the guessing of weak passwords; against 128 random bits they buy nothing,
    /// and cost each login of an unoptimised client 50 ms.
    pub fn quick_verifier(&self) -> String {
        let salt = random_bytes();
        // RFC 5802: Hi() with i = 1 is HMAC(password, salt + INT(1)).
        let salted = hmac(self.0.as_bytes(), &[&salt, &[0, 0, 0, 1]]);
        let stored_key = Sha256::digest(hmac(&salted, &[b"Client Key"]));
        let server_key = hmac(&salted, &[b"Server Key"]);
        format!(
            "SCRAM-SHA-256$1:{}${}:{}",
            STANDARD.encode(salt),
            STANDARD.encode(stored_key),
            STANDARD.encode(server_key),
        )
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

pub(crate) fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_never_printed() {
        let password = Password::new("s3cret");
        assert_eq!(format!("{password} {password:?} {:?}", Some(&password)), "*** *** Some(***)");
    }

    #[test]
    fn generated_ones_differ() {
        assert_ne!(Password::generate(), Password::generate());
        assert_eq!(Password::generate().reveal().len(), 32);
    }
}
