//! The certificate that this server shows.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// TLS with the chain and the key of these PEM files.
pub(crate) fn from_files(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let read = |file: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let certificates: Vec<_> = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect)
        .map_err(|error| read(chain, &error))?;
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| read(key, &error))?;
    ehlo_rustls::server_config(certificates, key_der)
        .map_err(|error| format!("{} with {}: {error}", chain.display(), key.display()))
}

/// TLS with a certificate of its own making, for `host`, `localhost` and `127.0.0.1`. No client has
/// a reason to trust it; against those who only listen it protects all the same, RFC 7435.
pub(crate) fn self_signed(host: &str) -> Result<Arc<ServerConfig>, String> {
    let names = [host, "localhost", "127.0.0.1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names)
        .map_err(|error| format!("cannot make a certificate for {host}: {error}"))?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    ehlo_rustls::server_config(vec![made.cert.der().clone()], key)
        .map_err(|error| error.to_string())
}

/// Fills `octets` with what nobody can foresee.
pub(crate) fn randomise(octets: &mut [u8]) -> Result<(), String> {
    let provider = ring::default_provider();
    provider.secure_random.fill(octets).map_err(|_| "this machine has no randomness".to_owned())
}
