//! What must be known of a certificate that rustls' own verifier does not tell: it reads version 3 alone, and
//! looks for names in one place alone.

mod purpose;

use std::{net::IpAddr, time::Duration};

use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer, UnixTime};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::{
    certificate::Version,
    der::{Decode, Encode, asn1::ObjectIdentifier},
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// A certificate, read.
pub(super) struct Certificate<'a> {
    der: &'a CertificateDer<'a>,
    read: x509_cert::Certificate,
}

impl<'a> Certificate<'a> {
    /// Reads DER; the error is the reader's words.
    pub(super) fn parse(der: &'a CertificateDer<'a>) -> Result<Self, String> {
        let read = x509_cert::Certificate::from_der(der).map_err(|error| error.to_string())?;
        Ok(Self { der, read })
    }

    /// Whether it names itself as its issuer, as root certificates do.
    pub(super) fn is_self_issued(&self) -> bool {
        self.read.tbs_certificate().issuer() == self.read.tbs_certificate().subject()
    }

    /// Whether it is its own issuer, and no other authority's of the same name.
    pub(super) fn is_self_signed(&self, known: &[&'static dyn SignatureVerificationAlgorithm]) -> bool {
        self.is_self_issued() && self.is_signed_by(self, known)
    }

    pub(super) fn is_version_1(&self) -> bool {
        self.read.tbs_certificate().version() == Version::V1
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.der == other.der
    }

    /// Whether its name is the one of an issuer.
    pub(super) fn names_as_issuer(&self, issuer: &Self) -> bool {
        self.read.tbs_certificate().issuer() == issuer.read.tbs_certificate().subject()
    }

    pub(super) fn der(&self) -> &'a CertificateDer<'a> {
        self.der
    }

    /// For people.
    pub(super) fn subject(&self) -> String {
        self.read.tbs_certificate().subject().to_string()
    }

    /// For people.
    pub(super) fn issuer(&self) -> String {
        self.read.tbs_certificate().issuer().to_string()
    }

    /// The algorithm of its signature, for people.
    pub(super) fn signed_with(&self) -> String {
        match self.read.signature_algorithm().oid.to_string().as_str() {
            "1.2.840.10045.4.3.4" => "ECDSA with SHA-512".to_owned(),
            "1.2.840.113549.1.1.5" => "RSA with SHA-1".to_owned(),
            "1.3.101.113" => "Ed448".to_owned(),
            other => other.to_owned(),
        }
    }

    pub(super) fn public_key(&self) -> Result<SubjectPublicKeyInfoDer<'static>, String> {
        let key = self.read.tbs_certificate().subject_public_key_info().to_der();
        key.map(SubjectPublicKeyInfoDer::from).map_err(|error| error.to_string())
    }

    /// Whether it is valid at a time; in words, if not.
    pub(super) fn valid_at(&self, now: UnixTime) -> Result<(), String> {
        let validity = self.read.tbs_certificate().validity();
        let now = Duration::from_secs(now.as_secs());
        if now > validity.not_after.to_unix_duration() {
            return Err(format!("expired on {}: it must be renewed", validity.not_after));
        }
        if now < validity.not_before.to_unix_duration() {
            return Err(format!("is valid from {} on only: is this machine's clock right?", validity.not_before));
        }
        Ok(())
    }

    /// Whether an issuer's key made its signature.
    pub(super) fn is_signed_by(&self, issuer: &Self, known: &[&'static dyn SignatureVerificationAlgorithm]) -> bool {
        let signed_with = self.read.signature_algorithm().to_der().unwrap_or_default();
        let key = issuer.read.tbs_certificate().subject_public_key_info();
        let (Ok(content), Some(signature), Ok(key)) =
            (self.read.tbs_certificate().to_der(), self.read.signature().as_bytes(), key.to_der())
        else {
            return false;
        };
        let key = SubjectPublicKeyInfoDer::from(key);
        let Ok(key) = webpki::RawPublicKeyEntity::try_from(&key) else { return false };
        known
            .iter()
            // The list holds an algorithm's inside, without the sequence around it.
            .filter(|algorithm| signed_with.ends_with(algorithm.signature_alg_id().as_ref()))
            .any(|algorithm| key.verify_signature(*algorithm, &content, signature).is_ok())
    }

    /// Whether it is for a host, as libpq sees it: among the alternative names, or where there is none of the
    /// host's kind as the subject's common name. If not, the names that it is for, if any.
    pub(super) fn is_for(&self, host: &str) -> Result<(), String> {
        let subject = self.read.tbs_certificate();
        let names = subject.get_extension::<SubjectAltName>().map_err(|error| error.to_string())?;
        let names = names.map_or_else(Vec::new, |(_, SubjectAltName(names))| names);
        let ip: Option<IpAddr> = host.parse().ok();
        let mut counts_subject = true;
        let mut examined = Vec::new();
        for name in &names {
            match name {
                GeneralName::DnsName(name) => {
                    counts_subject &= ip.is_some();
                    if matches(name.as_str(), host) {
                        return Ok(());
                    }
                    examined.push(name.as_str().to_owned());
                }
                GeneralName::IpAddress(bytes) => {
                    counts_subject &= ip.is_none();
                    let Some(address) = address(bytes.as_bytes()) else { continue };
                    if ip == Some(address) {
                        return Ok(());
                    }
                    examined.push(address.to_string());
                }
                _ => {}
            }
        }
        if counts_subject && let Ok(Some(name)) = subject.subject().common_name() {
            let name = name.value().into_owned();
            if matches(&name, host) {
                return Ok(());
            }
            examined.push(name);
        }
        examined.dedup();
        Err(examined.join(", "))
    }

    /// The hash that `tls-server-end-point` binds to (RFC 5929, section 4.1): by the signature's own hash
    /// function, by SHA-256 where that is MD5 or SHA-1. `None` where it has none of its own.
    pub(super) fn end_point(&self) -> Option<Vec<u8>> {
        let hash = match self.read.signature_algorithm().oid.to_string().as_str() {
            // RSA and ECDSA with MD5, SHA-1, SHA-256.
            "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.5" | "1.2.840.113549.1.1.11" => {
                Sha256::digest(self.der).to_vec()
            }
            "1.2.840.10045.4.1" | "1.2.840.10045.4.3.2" => Sha256::digest(self.der).to_vec(),
            // With SHA-384, SHA-512.
            "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Sha384::digest(self.der).to_vec(),
            "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Sha512::digest(self.der).to_vec(),
            // RSASSA-PSS says its hash function among its parameters.
            "1.2.840.113549.1.1.10" => {
                let parameters = self.read.signature_algorithm().parameters.to_der().ok()?;
                let says = |oid: &str| {
                    let oid = ObjectIdentifier::new(oid).ok().and_then(|oid| oid.to_der().ok()).unwrap_or_default();
                    parameters.windows(oid.len()).any(|window| window == oid)
                };
                if says("2.16.840.1.101.3.4.2.2") {
                    Sha384::digest(self.der).to_vec()
                } else if says("2.16.840.1.101.3.4.2.3") {
                    Sha512::digest(self.der).to_vec()
                } else {
                    Sha256::digest(self.der).to_vec()
                }
            }
            _ => return None,
        };
        Some(hash)
    }
}

/// libpq's match of a certificate's name: without case, `*.` for one first label.
fn matches(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    let Some(domain) = pattern.strip_prefix('*').filter(|domain| domain.starts_with('.') && domain.len() > 1) else {
        return false;
    };
    host.find('.').is_some_and(|dot| dot > 0 && host[dot..].eq_ignore_ascii_case(domain))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_one_label() {
        for (pattern, host, expected) in [
            ("db.example.com", "DB.example.com", true),
            ("*.example.com", "db.example.com", true),
            ("*.example.com", "a.db.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.com", ".com", false),
            ("*example.com", "db.example.com", false),
            ("d*.example.com", "db.example.com", false),
            ("*.", "db.", false),
        ] {
            assert_eq!(matches(pattern, host), expected, "{pattern} {host}");
        }
    }
}
