//! An authority and a certificate that are made for one server.

use std::error::Error;
use std::sync::Arc;

use ehlo_rustls::Connector;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};

/// Both ends' part.
pub(crate) struct Tls {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) root: CertificateDer<'static>,
    pub(crate) root_pem: String,
    pub(crate) connector: Connector,
}

impl Tls {
    pub(crate) fn new() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        authority.distinguished_name.push(DnType::CommonName, "ehlo-mock");
        let authority_key = KeyPair::generate()?;
        let root = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);

        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut own = CertificateParams::new(names)?;
        own.use_authority_key_identifier_extension = true;
        own.distinguished_name.push(DnType::CommonName, "localhost");
        let key = KeyPair::generate()?;
        let certificate = own.signed_by(&key, &issuer)?;

        let key = PrivateKeyDer::try_from(key.serialize_der())?;
        let server = ehlo_rustls::server_config(vec![certificate.der().clone()], key)?;
        let (root_pem, root) = (root.pem(), root.der().clone());
        let mut roots = RootCertStore::empty();
        roots.add(root.clone())?;
        let connector = Connector::trusting(roots, "localhost")?;
        Ok(Self { server, root, root_pem, connector })
    }
}
