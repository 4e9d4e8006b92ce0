//! Verifying a server's certificate as libpq does by OpenSSL.
//!
//! Chains are rustls' own verifier's business. What it refuses and libpq takes is done here: a self-signed
//! certificate that is its own root, one of X.509 version 1 (the manual's recipe in section 18.9.5 makes such)
//! or of an authority (`openssl req -x509` does), and a name that stands in the subject. So is what it lets pass
//! and libpq refuses: a root that has expired, or that may sign no certificates.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
};
use webpki::{EndEntityCert, RawPublicKeyEntity};

use super::{Handshaken, certificate::Certificate, chain, files::Trust};

/// The other side proves that it holds the key of its certificate; what else it must be, `sslmode` says.
pub(super) struct Verifier {
    provider: Arc<CryptoProvider>,
    trust: Option<Trust>,
    /// The host whose name must be in the certificate.
    host: Option<String>,
    handshaken: Handshaken,
}

impl Verifier {
    pub(super) fn new(
        provider: Arc<CryptoProvider>,
        trust: Option<Trust>,
        host: Option<String>,
        handshaken: Handshaken,
    ) -> Self {
        Self { provider, trust, host, handshaken }
    }

    fn verify(&self, der: &CertificateDer<'_>, sent: &[CertificateDer<'_>], now: UnixTime) -> Result<(), String> {
        let Some(trust) = &self.trust else { return Ok(()) };
        let certificate =
            Certificate::parse(der).map_err(|error| format!("the server's certificate cannot be read: {error}"))?;
        certificate.valid_at(now).map_err(|reason| format!("the server's certificate {reason}"))?;
        certificate.may_serve().map_err(|reason| format!("the server's certificate {reason}"))?;
        chain::verify(&certificate, sent, trust, self.provider.signature_verification_algorithms.all, now)?;
        if let Some(host) = &self.host {
            certificate.is_for(host).map_err(|names| match names.as_str() {
                "" => format!("the server's certificate holds no name of a host: have one made for {host}"),
                names => format!(
                    "the server's certificate is for {names}, and not for {host}: take such a name as host, with the \
                     address as hostaddr, or have one made for {host}"
                ),
            })?;
        }
        Ok(())
    }

    /// The key of a certificate that rustls' own functions do not read: whether it may be trusted is another question.
    fn raw_key(&self, certificate: &CertificateDer<'_>) -> Option<SubjectPublicKeyInfoDer<'static>> {
        if EndEntityCert::try_from(certificate).is_ok() {
            return None;
        }
        Certificate::parse(certificate).ok()?.public_key().ok()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.verify(certificate, chain, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(reason) => {
                // The words would be lost on their way through the libraries.
                self.handshaken.failed(reason);
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        let Some(key) = self.raw_key(certificate) else {
            return verify_tls12_signature(message, certificate, signed, known);
        };
        let fits = |key: RawPublicKeyEntity<'_>| {
            let candidates = known.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme);
            let mut algorithms = candidates.flat_map(|(_, algorithms)| *algorithms);
            algorithms.any(|algorithm| key.verify_signature(*algorithm, message, signed.signature()).is_ok())
        };
        match RawPublicKeyEntity::try_from(&key).is_ok_and(fits) {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(Error::InvalidCertificate(CertificateError::BadSignature)),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        match self.raw_key(certificate) {
            Some(key) => verify_tls13_signature_with_raw_key(message, &key, signed, known),
            None => verify_tls13_signature(message, certificate, signed, known),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("trust", &self.trust).field("host", &self.host).finish_non_exhaustive()
    }
}
