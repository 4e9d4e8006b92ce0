//! From a server's certificate up to a root that we trust, as libpq goes by OpenSSL.

use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, KeyUsage, RevocationCheckDepth,
    RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};

use super::{certificate::Certificate, files::Trust};

type Known = [&'static dyn SignatureVerificationAlgorithm];

/// As rustls has it: no more authorities in one chain.
const LONGEST: usize = 6;

/// Whether somebody whom we trust vouches for a server's certificate; in words, if not. `sent` is what the
/// server sent along.
pub(super) fn verify(
    certificate: &Certificate<'_>,
    sent: &[CertificateDer<'_>],
    trust: &Trust,
    known: &Known,
    now: UnixTime,
) -> Result<(), String> {
    let trusted: Vec<_> = trust.roots.iter().filter_map(|root| Certificate::parse(root).ok()).collect();
    let sent: Vec<_> = sent.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    if certificate.is_self_signed(known) {
        return verify_self_signed(certificate, &trusted, trust);
    }
    let can_issue = |authority: &&Certificate<'_>| authority.may_issue(now).is_ok();
    // As for OpenSSL only a self-signed certificate ends a chain; others help to build it.
    let roots: Vec<_> = trusted.iter().filter(|root| root.is_self_issued()).filter(can_issue).collect();
    let helpers = sent.iter().chain(trusted.iter().filter(|root| !root.is_self_issued()));
    let helpers: Vec<_> = helpers.filter(can_issue).collect();
    let unknown = || {
        let namesakes = trusted.iter().chain(&sent).filter(|authority| certificate.names_as_issuer(authority));
        let mut reasons = namesakes.filter_map(|authority| authority.may_issue(now).err());
        let (subject, issuer, origin) = (certificate.subject(), certificate.issuer(), &trust.origin);
        match reasons.next() {
            Some(reason) => format!("the server's certificate was issued by {issuer}, whose own certificate {reason}"),
            None => format!(
                "the server's certificate ({subject}) was issued by {issuer}, for which there is no root in {origin}: \
                 name its root by sslrootcert, and have the server send what is in between"
            ),
        }
    };
    if certificate.is_version_1() || certificate.is_authority() {
        return verify_odd(certificate, &helpers, &roots, trust, known)?.ok_or_else(unknown);
    }
    let anchors: Vec<_> = roots.iter().filter_map(|root| anchor_from_trusted_cert(root.der()).ok()).collect();
    let helpers: Vec<_> = helpers.iter().map(|helper| CertificateDer::from(helper.der().as_ref())).collect();
    let lists: Vec<_> = trust.revocations.iter().cloned().map(CertRevocationList::Owned).collect();
    let lists: Vec<_> = lists.iter().collect();
    let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
        options
            .with_depth(RevocationCheckDepth::Chain)
            .with_status_policy(UnknownStatusPolicy::Deny)
            .with_expiration_policy(ExpirationPolicy::Enforce)
            .build()
    });
    let end = EndEntityCert::try_from(certificate.der()).map_err(|error| refusal(&error, certificate, trust))?;
    match end.verify_for_usage(known, &anchors, &helpers, now, KeyUsage::server_auth(), revocation, None) {
        Ok(_) => Ok(()),
        Err(Error::UnknownIssuer) => Err(unknown()),
        Err(error) => Err(refusal(&error, certificate, trust)),
    }
}

/// One that is its own issuer is trusted where it stands among the roots itself.
fn verify_self_signed(certificate: &Certificate<'_>, trusted: &[Certificate<'_>], trust: &Trust) -> Result<(), String> {
    if !trusted.iter().any(|root| root.is(certificate)) {
        return Err(format!(
            "the server's certificate ({}) is self-signed, and not in {}: if it is the right one, name it by sslrootcert",
            certificate.subject(),
            trust.origin
        ));
    }
    if trust.revocations.is_empty() { Ok(()) } else { Err(unasked("that is its own root")) }
}

/// What rustls' verifier does not take from a server: version 1, or an authority. `None` where no root is reached.
fn verify_odd(
    certificate: &Certificate<'_>,
    helpers: &[&Certificate<'_>],
    roots: &[&Certificate<'_>],
    trust: &Trust,
    known: &Known,
) -> Result<Option<()>, String> {
    if !trust.revocations.is_empty() {
        return Err(unasked("of X.509 version 1, or of an authority"));
    }
    if !certificate.is_understood() {
        return Err(refusal(&Error::UnsupportedCriticalExtension, certificate, trust));
    }
    let mut below = certificate;
    for between in 0..LONGEST {
        let vouches = |authority: &&&Certificate<'_>| {
            authority.may_stand_above(between)
                && below.names_as_issuer(authority)
                && below.is_signed_by(authority, known)
        };
        if roots.iter().any(|root| vouches(&root)) {
            return Ok(Some(()));
        }
        let Some(next) = helpers.iter().find(vouches) else { return Ok(None) };
        below = next;
    }
    Ok(None)
}

fn unasked(kind: &str) -> String {
    format!("revocation lists are not read here for a certificate {kind}: give the server another, or take out sslcrl")
}

/// The verifier's errors for people.
fn refusal(error: &Error, certificate: &Certificate<'_>, trust: &Trust) -> String {
    let (issuer, origin) = (certificate.issuer(), &trust.origin);
    match error {
        Error::CertRevoked => {
            "the server's certificate, or that of an authority above it, is revoked: it must be replaced".to_owned()
        }
        Error::UnknownRevocationStatus => format!(
            "no revocation list speaks for the server's certificate, which {issuer} issued, and all above it: \
             give every authority's to sslcrl"
        ),
        Error::CrlExpired { .. } => "the revocation list has expired: fetch a new one".to_owned(),
        Error::InvalidSignatureForPublicKey | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => format!(
            "the server's certificate names {issuer} as its issuer, and is not signed with that one's key in {origin}: \
             fetch the issuer's present certificate"
        ),
        Error::UnsupportedSignatureAlgorithmContext(_) => format!(
            "the server's certificate, or one above it, is signed in a way that is not known here ({}): \
             have it signed with RSA or ECDSA, and SHA-256",
            certificate.signed_with()
        ),
        Error::PathLenConstraintViolated => format!(
            "the server's certificate was issued by {issuer}, where an authority above allows no further ones (pathlen)"
        ),
        Error::UnsupportedCriticalExtension => {
            "the server's certificate has a critical extension that is not known here".to_owned()
        }
        error => format!("the server's certificate cannot be trusted: {error}"),
    }
}
