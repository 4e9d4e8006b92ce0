//! The files of TLS: whom we trust, whom we distrust, who we are.
//!
//! libpq passes by a file that is named and not there, in some cases, and any revocation list that it cannot
//! read; here that is always an error.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustls::{
    crypto::CryptoProvider,
    pki_types::{
        CertificateDer, CertificateRevocationListDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    sign::CertifiedKey,
};
use webpki::OwnedCertRevocationList;

use super::certificate::Certificate;
use crate::{ConnInfo, SslMode};

/// Whom we trust to issue certificates, and what they have revoked.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) revocations: Vec<OwnedCertRevocationList>,
    /// Where the roots come from, for people.
    pub(super) origin: String,
}

/// Who we are, where the server asks.
pub(super) struct Identity {
    pub(super) key: CertifiedKey,
    /// Where the certificate comes from, for people.
    pub(super) path: PathBuf,
}

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) struct Unusable {
    pub(super) reason: String,
    /// Whether no connection may come about, not even one in the clear where `sslmode` allows that.
    pub(super) is_final: bool,
}

impl Unusable {
    fn unreadable(parameter: &str, path: &Path, error: &io::Error) -> Self {
        let is_final = error.kind() == io::ErrorKind::NotFound;
        Self { reason: format!("{parameter}: cannot read {}: {error}", path.display()), is_final }
    }
}

impl From<String> for Unusable {
    fn from(reason: String) -> Self {
        Self { reason, is_final: false }
    }
}

/// `sslrootcert`, `sslcrl` and `sslcrldir`, or the default files; `None` where there is nobody to trust and
/// `sslmode` does not ask for it.
pub(super) fn trust(info: &ConnInfo) -> Result<Option<Trust>, Unusable> {
    let (roots, origin) = match info.more.get("sslrootcert") {
        Some("system") => (system_roots()?, "the system's root certificates".to_owned()),
        Some(path) => (certificates("sslrootcert", Path::new(path))?, path.to_owned()),
        None => match default_file(info, "root.crt") {
            Some(path) => (certificates("sslrootcert", &path)?, path.display().to_string()),
            None if info.ssl_mode >= SslMode::VerifyCa => {
                let default = info.default_certificates.as_ref().map(|directory| directory.join("root.crt"));
                let put = default.map_or_else(String::new, |path| format!("put it into {}, or ", path.display()));
                let system = if info.ssl_mode == SslMode::VerifyFull { ", or take sslrootcert=system" } else { "" };
                let what = "there is no root certificate to verify the server's by";
                return Err(format!("{what}: {put}name its file by sslrootcert{system}").into());
            }
            None => return Ok(None),
        },
    };
    let revocations = revocations(info).map_err(|reason| Unusable { reason, is_final: true })?;
    Ok(Some(Trust { roots, revocations, origin }))
}

/// `sslcert` and `sslkey`, or the default files; `None` where there are none.
pub(super) fn identity(info: &ConnInfo, provider: &CryptoProvider) -> Result<Option<Identity>, Unusable> {
    if info.more.get("sslcertmode") == Some("disable") {
        return Ok(None);
    }
    let named = |name, file| info.more.get(name).map(PathBuf::from).or_else(|| default_file(info, file));
    let Some(certificate) = named("sslcert", "postgresql.crt") else { return Ok(None) };
    let chain = certificates("sslcert", &certificate)?;
    let path = named("sslkey", "postgresql.key")
        .ok_or_else(|| format!("{} is there, and no key for it: name it by sslkey", certificate.display()))?;
    let key = provider.key_provider.load_private_key(private_key(&path)?).map_err(|error| {
        let better = "give it an RSA key of 2048 bits or more, a P-256 or an Ed25519 one";
        format!("sslkey: a key like that in {} is not used here ({error}): {better}", path.display())
    })?;
    let own = chain.first().and_then(|der| Certificate::parse(der).ok()?.public_key().ok());
    if own.zip(key.public_key()).is_some_and(|(own, key)| own != key) {
        return Err(format!("sslkey: the key in {} is not that of {}", path.display(), certificate.display()).into());
    }
    Ok(Some(Identity { key: CertifiedKey::new(chain, key), path: certificate }))
}

fn default_file(info: &ConnInfo, name: &str) -> Option<PathBuf> {
    info.default_certificates.as_ref().map(|directory| directory.join(name)).filter(|path| path.exists())
}

fn system_roots() -> Result<Vec<CertificateDer<'static>>, String> {
    let found = rustls_native_certs::load_native_certs();
    match (found.certs.is_empty(), found.errors.first()) {
        (false, _) => Ok(found.certs),
        (true, Some(error)) => Err(format!("sslrootcert=system: {error}")),
        (true, None) => Err("sslrootcert=system: this system has none (Debian's package ca-certificates)".to_owned()),
    }
}

fn certificates(parameter: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(parameter, path, error))?;
    if found.is_empty() {
        return Err(format!("{parameter}: {} holds no certificate in PEM", path.display()).into());
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Unusable> {
    let metadata = path.metadata().map_err(|error| Unusable::unreadable("sslkey", path, &error))?;
    // As libpq has it: a key of root's may be read by its group.
    let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.mode() & forbidden != 0 {
        return Err(format!("sslkey: {0} may be read by others: chmod 600 {0}", path.display()).into());
    }
    let bytes = std::fs::read(path).map_err(|error| Unusable::unreadable("sslkey", path, &error))?;
    PrivateKeyDer::from_pem_slice(&bytes).or_else(|_| PrivateKeyDer::try_from(bytes.clone())).map_err(|error| {
        match String::from_utf8_lossy(&bytes).contains("ENCRYPTED") {
            true => format!(
                "sslkey: {0} is encrypted: `openssl pkey -in {0} -out NEW` writes one that is not",
                path.display()
            ),
            false => format!("sslkey: {} is not a private key in PEM or DER: {error}", path.display()),
        }
        .into()
    })
}

fn revocations(info: &ConnInfo) -> Result<Vec<OwnedCertRevocationList>, String> {
    let mut files = Vec::new();
    match (info.more.get("sslcrl"), info.more.get("sslcrldir")) {
        (None, None) => files.extend(default_file(info, "root.crl")),
        (file, directory) => {
            files.extend(file.map(PathBuf::from));
            if let Some(directory) = directory {
                let failed = |error| format!("sslcrldir: cannot read {directory}: {error}");
                let count = files.len();
                for entry in std::fs::read_dir(directory).map_err(failed)? {
                    let entry = entry.map_err(failed)?;
                    files.extend(is_hashed(&entry.file_name().to_string_lossy()).then(|| entry.path()));
                }
                if files.len() == count {
                    let rehash = format!("`openssl rehash {directory}` gives the names");
                    return Err(format!("sslcrldir: {directory} holds no list under its hash as its name: {rehash}"));
                }
            }
        }
    }
    let mut found = Vec::new();
    for path in &files {
        let lists: Vec<_> = CertificateRevocationListDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(|error| unreadable("sslcrl", path, error).reason)?;
        if lists.is_empty() {
            return Err(format!("sslcrl: {} holds no revocation list in PEM", path.display()));
        }
        for list in lists {
            found.push(OwnedCertRevocationList::from_der(&list).map_err(|error| match error {
                webpki::Error::UnsupportedCrlVersion | webpki::Error::BadDer => format!(
                    "sslcrl: the list in {} is of version 1, or broken: `openssl ca -gencrl` makes one of version \
                         2 where its configuration has crlnumber",
                    path.display()
                ),
                error => format!("sslcrl: the list in {} cannot be used: {error}", path.display()),
            })?);
        }
    }
    Ok(found)
}

/// Whether OpenSSL looks at a file of a directory of lists: its name is the hash of the issuer's (`0a1b2c3d.r0`).
fn is_hashed(name: &str) -> bool {
    name.split_once(".r").is_some_and(|(hash, number)| {
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && is_number
    })
}

fn unreadable(parameter: &str, path: &Path, error: pem::Error) -> Unusable {
    match error {
        pem::Error::Io(error) => Unusable::unreadable(parameter, path, &error),
        error => format!("{parameter}: {} is not valid PEM: {error}", path.display()).into(),
    }
}
