//! Both ends' part of TLS: a certificate that is made for the run, and who trusts it.

use std::sync::{Arc, LazyLock};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// A server's, with a certificate for [`NAME`].
pub fn server() -> Arc<ServerConfig> {
    CONFIGS.0.clone()
}

/// That of a client who trusts it.
pub fn client() -> Arc<ClientConfig> {
    CONFIGS.1.clone()
}

pub fn name() -> ServerName<'static> {
    ServerName::try_from(NAME).expect("a name")
}

pub const NAME: &str = "mx.example";

static CONFIGS: LazyLock<(Arc<ServerConfig>, Arc<ClientConfig>)> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a root");
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.expect("a key"))
        .expect("a key of the certificate");
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    (Arc::new(server), Arc::new(client))
});
