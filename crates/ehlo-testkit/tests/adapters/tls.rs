//! Both ends' part of TLS: a certificate that is made for the run, and who trusts it.

use std::sync::{Arc, LazyLock};

use ehlo_blocking::Connector;
use rustls::{RootCertStore, ServerConfig};

/// A server's, with a certificate for [`NAME`].
pub fn server() -> &'static Arc<ServerConfig> {
    &ENDS.0
}

/// That of a client who trusts it.
pub fn client() -> &'static Connector {
    &ENDS.1
}

pub const NAME: &str = "mx.example";

static ENDS: LazyLock<(Arc<ServerConfig>, Connector)> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a root");
    let server = ehlo_rustls::server_config(vec![certificate], key.expect("a key"));
    let client = Connector::trusting(roots, NAME);
    (server.expect("a key of the certificate"), client.expect("a name"))
});
