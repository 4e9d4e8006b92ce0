//! TLS with libpq's meaning (the manual's section 34.19): which files count, what is verified, what is not.

mod alert;
mod certificate;
mod chain;
mod encrypted;
mod files;
pub(crate) mod parameters;
mod verify;

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use rustls::{ClientConfig, ProtocolVersion, crypto::ring, pki_types::ServerName, sign::SingleCertAndKey};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use self::{
    alert::Shown,
    certificate::Certificate,
    encrypted::Encrypted,
    files::Unusable,
    parameters::{sends_name, versions},
    verify::Verifier,
};
use crate::{ConnInfo, SslMode};

/// What became of the handshake; the driver keeps it to itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handshaken(Arc<Mutex<Outcome>>);

#[derive(Clone, Debug, Default)]
struct Outcome {
    session: Option<Established>,
    failure: Option<String>,
    is_final: bool,
}

/// An encrypted session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Established {
    pub(crate) version: &'static str,
    pub(crate) verified: Verified,
    /// Whether a login can be bound to the certificate.
    pub(crate) can_bind: bool,
}

/// What is known of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Nothing: whoever holds some certificate's key.
    Nothing,
    /// Its certificate comes from somebody whom the root certificates trust.
    Issuer,
    /// And it is for the host that was asked for.
    Host,
}

impl Handshaken {
    /// The session, where there was a handshake and it succeeded.
    pub(crate) fn session(&self) -> Option<Established> {
        self.0.lock().ok()?.session
    }

    /// Why the handshake failed, where it is known better than the driver tells.
    pub(crate) fn failure(&self) -> Option<String> {
        self.0.lock().ok()?.failure.clone()
    }

    /// Whether it failed so that no connection may come about, not even one in the clear.
    pub(crate) fn is_final(&self) -> bool {
        self.0.lock().is_ok_and(|outcome| outcome.is_final)
    }

    fn succeeded(&self, session: Established) {
        if let Ok(mut result) = self.0.lock() {
            result.session = Some(session);
        }
    }

    fn failed(&self, reason: String) {
        if let Ok(mut result) = self.0.lock() {
            result.failure.get_or_insert(reason);
        }
    }

    fn failed_by_file(&self, unusable: Unusable) {
        self.failed(unusable.reason);
        if let Ok(mut result) = self.0.lock() {
            result.is_final |= unusable.is_final;
        }
    }
}

/// Makes one TLS session; files are read when the server offers TLS, not before.
#[derive(Clone)]
pub(crate) struct Tls {
    info: Arc<ConnInfo>,
    handshaken: Handshaken,
}

impl Tls {
    pub(crate) fn new(info: &ConnInfo) -> (Self, Handshaken) {
        let handshaken = Handshaken::default();
        (Self { info: Arc::new(info.clone()), handshaken: handshaken.clone() }, handshaken)
    }

    fn client_config(&self) -> Result<(ClientConfig, Verified, Shown), Unusable> {
        let info = &*self.info;
        let words = |error: &dyn std::error::Error| error.to_string();
        let provider = Arc::new(ring::default_provider());
        let trust = files::trust(info)?;
        let verified = match (&trust, info.ssl_mode) {
            (None, _) => Verified::Nothing,
            (Some(_), SslMode::VerifyFull) => Verified::Host,
            (Some(_), _) => Verified::Issuer,
        };
        let host = (verified == Verified::Host).then(|| info.host.to_string());
        let verifier = Verifier::new(provider.clone(), trust, host, self.handshaken.clone());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions(&info.more).map_err(|error| words(&error))?)
            .map_err(|error| words(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let (mut config, own) = match files::identity(info, &provider)? {
            // Not the builder's own way: that refuses certificates of X.509 version 1.
            Some(own) => (builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own.key))), Some(own.path)),
            None => (builder.with_no_client_auth(), None),
        };
        config.enable_sni = sends_name(&info.more).map_err(|error| words(&error))?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok((config, verified, Shown { own, info: self.info.clone() }))
    }

    /// Speaks TLS with whoever is at the other end of the stream. The second value is what a login can be bound to: the
    /// certificate's hash (RFC 5929, `tls-server-end-point`).
    pub(crate) async fn handshake<S>(self, stream: S) -> io::Result<(Encrypted<S>, Option<Vec<u8>>)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (config, verified, shown) = self.client_config().map_err(|unusable| {
            let reason = unusable.reason.clone();
            self.handshaken.failed_by_file(unusable);
            io::Error::other(reason)
        })?;
        // A name that TLS cannot carry is not sent; an address never is.
        let nameless = ServerName::IpAddress(IpAddr::from([0, 0, 0, 0]).into());
        let name = ServerName::try_from(self.info.host.to_string()).unwrap_or(nameless);
        let session = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        let session = session.inspect_err(|error| self.handshaken.failed(shown.failure(error)))?;
        let (_, connection) = session.get_ref();
        let is_direct = self.info.more.get("sslnegotiation") == Some("direct");
        if is_direct && connection.alpn_protocol() != Some(ALPN) {
            let reason = "sslnegotiation=direct: the server does not say that it speaks PostgreSQL's protocol";
            self.handshaken.failed(reason.to_owned());
            return Err(io::Error::other(reason));
        }
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLSv1.3",
        };
        let end_point =
            connection.peer_certificates().and_then(|chain| Certificate::parse(chain.first()?).ok()?.end_point());
        self.handshaken.succeeded(Established { version, verified, can_bind: end_point.is_some() });
        Ok((Encrypted::new(session, shown, self.handshaken), end_point))
    }

    /// The server speaks no TLS, and must.
    pub(crate) fn is_not_offered(&self) -> io::Error {
        let reason = "the server offers none: set ssl = on in its configuration";
        self.handshaken.failed(reason.to_owned());
        io::Error::other(reason)
    }
}

/// The protocol's registered name: from version 17 on the server looks at it.
const ALPN: &[u8] = b"postgresql";
