//! The certificate that this server shows.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// TLS as new connections get it.
pub(crate) struct Tls {
    /// The certificate chain and the key, where they are files.
    files: Option<(PathBuf, PathBuf)>,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// With the chain and the key of these PEM files.
    pub(crate) fn from_files(chain: PathBuf, key: PathBuf) -> Result<Self, String> {
        let current = read(&chain, &key)?;
        Ok(Self { files: Some((chain, key)), current: RwLock::new(current) })
    }

    /// With a certificate that it makes itself, for `host`, `localhost` and `127.0.0.1`. No client has a
    /// reason to trust it; it still protects against passive listeners, RFC 7435.
    pub(crate) fn self_signed(host: &str) -> Result<Self, String> {
        let names = [host, "localhost", "127.0.0.1"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names)
            .map_err(|error| format!("cannot make a certificate for {host}: {error}"))?;
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let current = ehlo_rustls::server_config(vec![made.cert.der().clone()], key)
            .map_err(|error| error.to_string())?;
        Ok(Self { files: None, current: RwLock::new(current) })
    }

    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again, for the connections to come. Where they are of no use, nothing changes.
    pub(crate) fn reload(&self) -> Result<(), String> {
        if let Some((chain, key)) = &self.files {
            let new = read(chain, key)?;
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        }
        Ok(())
    }
}

fn read(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let cannot =
        |file: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let certificates: Vec<_> = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect)
        .map_err(|error| cannot(chain, &error))?;
    if certificates.is_empty() {
        return Err(cannot(chain, &"no certificate"));
    }
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| cannot(key, &error))?;
    ehlo_rustls::server_config(certificates, key_der)
        .map_err(|error| format!("{} with {}: {error}", chain.display(), key.display()))
}

/// Fills `bytes` with random values.
pub(crate) fn randomise(bytes: &mut [u8]) -> Result<(), String> {
    let provider = ring::default_provider();
    provider.secure_random.fill(bytes).map_err(|_| "this machine has no randomness".to_owned())
}
