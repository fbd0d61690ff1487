//! The certificates that a client of TLS trusts.

use std::path::Path;
use std::sync::Arc;

use ehlo_rustls::Connector;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use sha2::{Digest as _, Sha256};
use x509_cert::Certificate as X509;
use x509_cert::der::Decode as _;

/// The SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl std::str::FromStr for Fingerprint {
    type Err = &'static str;

    /// 64 hexadecimal digits; colons between them do not count.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|character| *character != ':')
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let bytes: Option<Vec<u8>> =
            digits.map(|digits| digits.chunks(2).map(|two| two.iter().fold(0, shift)).collect());
        let bytes = bytes.filter(|_| text.chars().filter(|digit| *digit != ':').count() == 64);
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or("64 hexadecimal digits, the SHA-256 of a certificate")
    }
}

/// TLS with the server of this name by the certificates of a PEM file: authorities, and certificates of
/// servers that are trusted as they are. So curl, msmtp and openssl take the file of a self-signed
/// certificate.
///
/// # Errors
///
/// What is wrong with the file, or the name.
pub fn trusting(file: &Path, name: &str) -> Result<Connector, String> {
    let cannot = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| cannot(&error))? {
        certificates.push(certificate.map_err(|error| cannot(&error))?);
    }
    if certificates.is_empty() {
        return Err(cannot(&"no certificate"));
    }
    let mut roots = RootCertStore::empty();
    for certificate in &certificates {
        roots.add(certificate.clone()).map_err(|error| cannot(&error))?;
    }
    let provider = Arc::new(ring::default_provider());
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let authorities = builder.build().map_err(|error| cannot(&error))?;
    connector(Trust::Certificates { authorities, certificates }, name)
}

/// TLS with the server that has this certificate, whatever that says.
///
/// # Errors
///
/// What is wrong with the name.
pub fn pinned(fingerprint: Fingerprint, name: &str) -> Result<Connector, String> {
    connector(Trust::Fingerprint(fingerprint), name)
}

fn connector(trust: Trust, name: &str) -> Result<Connector, String> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier { trust, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned())
        .map_err(|_| format!("{name}: neither a domain nor an address"))?;
    Ok(Connector::with_config(Arc::new(config), name))
}

#[derive(Debug)]
enum Trust {
    Certificates {
        authorities: Arc<WebPkiServerVerifier>,
        certificates: Vec<CertificateDer<'static>>,
    },
    Fingerprint(Fingerprint),
}

/// Verifies by the authorities of a file, or by the certificate itself.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.trust {
            // The name and the dates stand in the certificate, of which every byte is known.
            Trust::Certificates { certificates, .. } if certificates.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                verify_dates(certificate, now)?;
                Ok(ServerCertVerified::assertion())
            }
            Trust::Certificates { authorities, .. } => {
                authorities.verify_server_cert(certificate, chain, name, ocsp, now)
            }
            Trust::Fingerprint(pin) if Fingerprint::of(certificate) == *pin => {
                Ok(ServerCertVerified::assertion())
            }
            Trust::Fingerprint(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn verify_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let x509 = X509::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let (validity, now) = (x509.tbs_certificate.validity, now.as_secs());
    if now < validity.not_before.to_unix_duration().as_secs() {
        Err(CertificateError::NotValidYet.into())
    } else if now > validity.not_after.to_unix_duration().as_secs() {
        Err(CertificateError::Expired.into())
    } else {
        Ok(())
    }
}

fn shift(byte: u8, digit: &u8) -> u8 {
    byte << 4 | digit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_64_digits() {
        let hex = "00:fF:10".to_owned() + &"a0".repeat(29);
        let fingerprint: Fingerprint = hex.parse().expect("a fingerprint");
        assert_eq!(fingerprint.0[..4], [0, 0xff, 0x10, 0xa0]);
        for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(64)]
        {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
