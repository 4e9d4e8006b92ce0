//! Why a handshake failed, for people: the server's alerts are single words.

use std::{io, path::PathBuf, sync::Arc};

use rustls::AlertDescription as Alert;

use crate::ConnInfo;

/// What the server saw of us.
#[derive(Debug)]
pub(super) struct Shown {
    /// Our certificate, where we have one.
    pub(super) own: Option<PathBuf>,
    pub(super) info: Arc<ConnInfo>,
}

impl Shown {
    /// Why nothing came of the handshake, where that is what an error of the first bytes after it means: in TLS
    /// 1.3 the server looks at our certificate then.
    pub(super) fn late_failure(&self, error: &io::Error) -> Option<String> {
        self.refusal(error).or_else(|| (self.own.is_some() && hung_up(error)).then(|| self.failure(error)))
    }

    /// Why the handshake failed.
    pub(super) fn failure(&self, error: &io::Error) -> String {
        if let Some(refusal) = self.refusal(error) {
            return refusal;
        }
        // A server that knows nothing of it reads TLS as nonsense.
        if self.info.more.get("sslnegotiation") == Some("direct") && hung_up(error) {
            return "the server hung up: sslnegotiation=direct needs PostgreSQL 17 or newer, with TLS".to_owned();
        }
        match &self.own {
            Some(own) if hung_up(error) => {
                let own = own.display();
                format!("the server hung up ({error}) when it was shown {own}: it may not trust that certificate")
            }
            None if hung_up(error) => format!("the server hung up in the handshake ({error}): its log says why"),
            _ => error.to_string(),
        }
    }

    /// What an alert of the server's means, where that is what the error is.
    fn refusal(&self, error: &io::Error) -> Option<String> {
        let Some(rustls::Error::AlertReceived(alert)) = error.get_ref()?.downcast_ref() else { return None };
        let of_ours = match alert {
            Alert::UnknownCA => Some("no authority in its ssl_ca_file issued it"),
            Alert::CertificateExpired => Some("it has expired, or is not valid yet"),
            Alert::CertificateRevoked => Some("it is revoked"),
            Alert::BadCertificate | Alert::UnsupportedCertificate | Alert::CertificateUnknown | Alert::DecryptError => {
                Some("its log says why")
            }
            _ => None,
        };
        if let (Some(own), Some(reason)) = (&self.own, of_ours) {
            return Some(format!("the server refuses our certificate {}: {reason}", own.display()));
        }
        Some(match alert {
            Alert::ProtocolVersion => {
                let more = &self.info.more;
                let lowest = more.get("ssl_min_protocol_version").unwrap_or("TLSv1.2");
                let highest = more.get("ssl_max_protocol_version").unwrap_or("TLSv1.3");
                let change = "change ssl_min_protocol_version or ssl_max_protocol_version, here or there";
                format!("the server speaks no version of TLS from {lowest} to {highest}: {change}")
            }
            Alert::HandshakeFailure => {
                "the server and we have no cipher or kind of key in common: TLS 1.2 wants ECDHE \
                 with AES-GCM or ChaCha20 in its ssl_ciphers, its certificate an RSA, P-256, P-384 or Ed25519 key"
                    .to_owned()
            }
            alert => format!("the server ended the handshake ({alert:?}): its log says why"),
        })
    }
}

fn hung_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&error.kind())
}
