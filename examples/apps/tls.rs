//! Whom a client of TLS trusts.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The authorities of a PEM file.
///
/// # Errors
///
/// What is wrong with the file.
pub fn authorities(file: &Path) -> Result<RootCertStore, String> {
    let cannot = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| cannot(&error))? {
        let certificate = certificate.map_err(|error| cannot(&error))?;
        roots.add(certificate).map_err(|error| cannot(&error))?;
    }
    if roots.is_empty() { Err(cannot(&"no certificate")) } else { Ok(roots) }
}
