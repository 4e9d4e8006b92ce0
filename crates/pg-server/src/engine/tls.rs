//! TLS to an engine: `ca.pem` proves who it is, `cert.pem` and `key.pem` who we are.

use std::{io, net::TcpStream, path::Path, sync::Arc};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

/// The connection, on which nothing was said yet: the first question begins with the handshake.
pub(super) fn over(
    socket: TcpStream,
    host: &str,
    directory: &Path,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let of = |name: &str, error: &dyn std::fmt::Display| {
        io::Error::other(format!("{} cannot be used: {error}", directory.join(name).display()))
    };
    let certificates = |name: &str| {
        let read = CertificateDer::pem_file_iter(directory.join(name)).and_then(Iterator::collect);
        read.map_err(|error| of(name, &error))
    };
    let mut roots = RootCertStore::empty();
    let authorities: Vec<CertificateDer<'_>> = certificates("ca.pem")?;
    for authority in authorities {
        roots.add(authority).map_err(|error| of("ca.pem", &error))?;
    }
    let own: Vec<_> = certificates("cert.pem")?;
    let key = PrivateKeyDer::from_pem_file(directory.join("key.pem")).map_err(|error| of("key.pem", &error))?;
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_root_certificates(roots).with_client_auth_cert(own, key))
        .map_err(|error| of("cert.pem", &error))?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Ok(StreamOwned::new(session, socket))
}

/// Whether a connection failed by TLS.
pub(super) fn is_failure(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|error| error.is::<rustls::Error>())
}
