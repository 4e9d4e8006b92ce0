//! What a certificate may be used for, by its extensions, as OpenSSL sees it (`check_purpose_ssl_server`,
//! `check_ca`).

use rustls::pki_types::UnixTime;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::Certificate;

/// The extended key usage of servers.
const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";

/// The extensions that are looked at here: key usage, alternative names, basic constraints, extended key usage.
const UNDERSTOOD: [&str; 4] = ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37"];

const NAME_CONSTRAINTS: &str = "2.5.29.30";

impl Certificate<'_> {
    /// Whether a server may show it; in words, if not.
    pub(in crate::tls) fn may_serve(&self) -> Result<(), &'static str> {
        let is_for_tls =
            |usage: KeyUsage| usage.digital_signature() || usage.key_encipherment() || usage.key_agreement();
        if self.key_usage().is_some_and(|usage| !is_for_tls(usage)) {
            return Err("is not for servers: its keyUsage lacks digitalSignature");
        }
        if !self.is_for_servers() {
            return Err("is not for servers: its extendedKeyUsage lacks serverAuth");
        }
        Ok(())
    }

    /// Whether it may issue others at a time, as OpenSSL sees it; in words, if not.
    pub(in crate::tls) fn may_issue(&self, now: UnixTime) -> Result<(), String> {
        self.valid_at(now)?;
        let usage = self.key_usage();
        if usage.is_some_and(|usage| !usage.key_cert_sign()) {
            return Err("may sign no certificates: its keyUsage lacks keyCertSign".to_owned());
        }
        let is_authority = match self.basic_constraints() {
            Some(constraints) => constraints.ca,
            None => usage.is_some() || (self.is_version_1() && self.is_self_issued()),
        };
        if !is_authority {
            return Err("is no authority's: its basicConstraints lack CA:TRUE".to_owned());
        }
        Ok(())
    }

    /// Whether this many authorities may stand between it and a server, as far as all that it asks for is looked at.
    pub(in crate::tls) fn may_stand_above(&self, between: usize) -> bool {
        let length = self.basic_constraints().and_then(|constraints| constraints.path_len_constraint);
        length.is_none_or(|length| between <= usize::from(length)) && self.is_for_servers() && self.is_understood()
    }

    /// Whether what it asks for is looked at here.
    pub(in crate::tls) fn is_understood(&self) -> bool {
        let extensions = self.read.tbs_certificate().extensions().map_or(&[][..], Vec::as_slice);
        extensions.iter().all(|extension| {
            let id = extension.extn_id.to_string();
            id != NAME_CONSTRAINTS && (!extension.critical || UNDERSTOOD.contains(&id.as_str()))
        })
    }

    /// Whether it says that it is an authority.
    pub(in crate::tls) fn is_authority(&self) -> bool {
        self.basic_constraints().is_some_and(|constraints| constraints.ca)
    }

    fn is_for_servers(&self) -> bool {
        match self.read.tbs_certificate().get_extension::<ExtendedKeyUsage>() {
            Ok(Some((_, ExtendedKeyUsage(purposes)))) => purposes.iter().any(|id| id.to_string() == SERVER_AUTH),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// None where it has none; one that cannot be read allows nothing.
    fn key_usage(&self) -> Option<KeyUsage> {
        let nothing = || KeyUsage(Default::default());
        let found = self.read.tbs_certificate().get_extension::<KeyUsage>();
        found.map_or_else(|_| Some(nothing()), |found| found.map(|(_, usage)| usage))
    }

    /// None where it has none; those that cannot be read make no authority.
    fn basic_constraints(&self) -> Option<BasicConstraints> {
        let nothing = || BasicConstraints { ca: false, path_len_constraint: None };
        let found = self.read.tbs_certificate().get_extension::<BasicConstraints>();
        found.map_or_else(|_| Some(nothing()), |found| found.map(|(_, constraints)| constraints))
    }
}
