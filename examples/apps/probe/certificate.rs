//! TLS as it was negotiated, and what the server's certificate says.

use std::net::IpAddr;
use std::time::Duration;

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use tokio_rustls::TlsStream;
use x509_cert::Certificate as X509;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// A connection inside TLS.
pub(crate) struct Tls {
    /// The version and the cipher suite, by their usual names.
    pub(crate) version: String,
    pub(crate) cipher_suite: String,
    /// The certificate, or why it cannot be read.
    pub(crate) certificate: Result<Certificate, String>,
}

/// What a certificate says of its owner.
pub(crate) struct Certificate {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    /// The alternative names: hosts and addresses.
    pub(crate) names: Vec<String>,
    /// Since the epoch.
    pub(crate) not_before: Duration,
    pub(crate) not_after: Duration,
    der: CertificateDer<'static>,
}

impl Tls {
    pub(crate) fn of<S>(stream: &TlsStream<S>) -> Self {
        let (_, connection) = stream.get_ref();
        let unknown = || "unknown".to_owned();
        let version = connection.protocol_version();
        let suite = connection.negotiated_cipher_suite();
        let certificate = connection.peer_certificates().and_then(<[_]>::first);
        Self {
            version: version
                .and_then(|version| version.as_str())
                .map_or_else(unknown, |name| name.replace("TLSv1_", "TLS 1.")),
            cipher_suite: suite
                .and_then(|suite| suite.suite().as_str())
                .map_or_else(unknown, |name| name.replace("TLS13_", "TLS_")),
            certificate: match certificate {
                Some(der) => Certificate::read(der),
                None => Err("the server showed none".to_owned()),
            },
        }
    }
}

impl Certificate {
    fn read(der: &CertificateDer<'_>) -> Result<Self, String> {
        let x509 = X509::from_der(der).map_err(|error| error.to_string())?.tbs_certificate;
        let names = x509.get::<SubjectAltName>().map_err(|error| error.to_string())?;
        let names = names.map(|(_, names)| names.0).unwrap_or_default();
        Ok(Self {
            subject: x509.subject.to_string(),
            issuer: x509.issuer.to_string(),
            names: names.iter().filter_map(alternative_name).collect(),
            not_before: x509.validity.not_before.to_unix_duration(),
            not_after: x509.validity.not_after.to_unix_duration(),
            der: der.clone().into_owned(),
        })
    }

    /// Whether it is one for `name`, by its alternative names alone (RFC 9525 §6.3).
    pub(crate) fn is_for(&self, name: &ServerName<'_>) -> bool {
        let parsed = ParsedCertificate::try_from(&self.der);
        parsed.is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
    }

    pub(crate) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }
}

fn alternative_name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
            Some(address.map_or_else(|_| format!("{bytes:?}"), |address| address.to_string()))
        }
        _ => None,
    }
}
