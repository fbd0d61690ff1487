//! TLS by [`rustls`] for the adapters of `ehlo`: the certificates that a client trusts, the
//! certificate of a server, and the channel binding. ring provides the cryptography.
//!
//! Each adapter re-exports this crate with its feature `rustls`.

mod no_verification;

use std::fmt;
use std::io;
use std::sync::Arc;

use no_verification::NoCertificateVerification;
pub use rustls;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConnectionCommon, ProtocolVersion, RootCertStore, ServerConfig};

/// A client's configuration of TLS, and the name that the server's certificate must be for.
///
/// ```
/// use ehlo_rustls::{Connector, TlsError};
///
/// // Trusts the certificate authorities that this machine trusts.
/// match Connector::new("mx.example.org") {
///     Ok(connector) => assert_eq!(connector.name().to_str(), "mx.example.org"),
///     Err(error) => assert!(matches!(error, TlsError::Roots(_))),
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Connector {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Connector {
    /// Connects to a server of this name, which is a domain or an IP address, such as `mx.example.org`
    /// or `192.0.2.1`. The server's certificate must come from an authority that this machine trusts.
    ///
    /// # Errors
    ///
    /// [`TlsError::Name`], and [`TlsError::Roots`] when this machine trusts no authority.
    pub fn new(name: &str) -> Result<Self, TlsError> {
        Self::trusting(platform_roots()?, name)
    }

    /// The same, trusting these authorities alone.
    ///
    /// ```
    /// use ehlo_rustls::{Connector, TlsError, rustls::RootCertStore};
    ///
    /// let connector = Connector::trusting(RootCertStore::empty(), "mx.example.org")?;
    /// assert_eq!(connector.name().to_str(), "mx.example.org");
    /// assert!(matches!(
    ///     Connector::trusting(RootCertStore::empty(), "no name"),
    ///     Err(TlsError::Name(_))
    /// ));
    /// # Ok::<(), TlsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TlsError::Name`].
    pub fn trusting(roots: RootCertStore, name: &str) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions()?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self::with_config(Arc::new(config), ServerName::try_from(name.to_owned())?))
    }

    /// The same, accepting any certificate: the server is not authenticated. TLS then protects against
    /// passive listeners only (RFC 7435). It is for opportunistic TLS with servers whose certificate is
    /// self-signed, as that of many mail servers is. Do not send a password or other secrets this way.
    ///
    /// ```
    /// let connector = ehlo_rustls::Connector::unverified("mx.example.org")?;
    /// # drop(connector);
    /// # Ok::<(), ehlo_rustls::TlsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TlsError::Name`].
    pub fn unverified(name: &str) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider.clone());
        let config = config.with_safe_default_protocol_versions()?.dangerous();
        let config =
            config.with_custom_certificate_verifier(Arc::new(NoCertificateVerification(provider)));
        let config = Arc::new(config.with_no_client_auth());
        Ok(Self::with_config(config, ServerName::try_from(name.to_owned())?))
    }

    /// A connector with the caller's configuration, which decides what it trusts.
    pub const fn with_config(config: Arc<ClientConfig>, name: ServerName<'static>) -> Self {
        Self { config, name }
    }

    /// The configuration.
    pub const fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// The name that the server's certificate must be for.
    pub const fn name(&self) -> &ServerName<'static> {
        &self.name
    }
}

/// The certificate authorities that this machine trusts.
///
/// # Errors
///
/// [`TlsError::Roots`] when the machine trusts no authority.
pub fn platform_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A certificate that cannot be parsed does not invalidate the others.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let because = found.errors.into_iter().next();
        return Err(TlsError::Roots(because.map(io::Error::other)));
    }
    Ok(roots)
}

/// A server's configuration of TLS: its certificate, with the chain to an authority, and its key.
/// The server asks for no client certificate.
///
/// ```
/// use ehlo_rustls::{TlsError, rustls::pki_types::PrivatePkcs8KeyDer};
///
/// let nonsense = PrivatePkcs8KeyDer::from(vec![0; 32]);
/// assert!(matches!(ehlo_rustls::server_config(vec![], nonsense.into()), Err(TlsError::Tls(_))));
/// ```
///
/// # Errors
///
/// [`TlsError::Tls`] when the key is unusable, or does not belong to the certificate.
pub fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_no_client_auth().with_single_cert(chain, key)?))
}

/// The channel binding `tls-exporter` of RFC 9266, inside TLS 1.3; `None` before the handshake is over.
pub fn tls_exporter<D>(tls: &ConnectionCommon<D>) -> Option<[u8; 32]> {
    // RFC 9266 §4.2: in TLS 1.2 it proves nothing without an extension that may be missing.
    tls.protocol_version().filter(|version| *version == ProtocolVersion::TLSv1_3)?;
    tls.export_keying_material([0; 32], TLS_EXPORTER, Some(&[])).ok()
}

/// The reason why TLS cannot be configured.
///
/// ```
/// let error = ehlo_rustls::Connector::new("no name").unwrap_err();
/// assert!(!error.to_string().is_empty());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// The name of the server is neither a domain nor an IP address.
    Name(InvalidDnsNameError),
    /// This machine trusts no authority, with the error that occurred when they were read.
    Roots(Option<io::Error>),
    /// An error of rustls.
    Tls(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(_) => f.write_str("the server's name is neither a domain nor an IP address"),
            Self::Roots(_) => f.write_str("this machine trusts no certificate authority"),
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Name(error) => Some(error),
            Self::Roots(error) => error.as_ref().map(|error| error as _),
            Self::Tls(error) => error.source(),
        }
    }
}

impl From<InvalidDnsNameError> for TlsError {
    fn from(error: InvalidDnsNameError) -> Self {
        Self::Name(error)
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::other(error)
    }
}

/// The label under which TLS exports the channel binding `tls-exporter`, RFC 9266 §2. Its context
/// is empty, and it has 32 bytes.
const TLS_EXPORTER: &[u8] = b"EXPORTER-Channel-Binding";
