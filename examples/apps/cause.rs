//! Why something failed, in words for people.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError, Error as Tls};

/// The cause of a failure, without what only the author of a library could use.
///
/// ```
/// use std::io::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::UnexpectedEof, "details: https://docs.example");
/// assert_eq!(ehlo_apps::cause::cause(&error), "the server closed the connection");
/// ```
pub fn cause(error: &(dyn Error + 'static)) -> String {
    if let Some(tls) = find::<Tls>(error) {
        return of_tls(tls);
    }
    let Some(io) = find::<io::Error>(error) else { return error.to_string() };
    let text = match io.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionAborted => {
            "the server closed the connection"
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "the server reset the connection"
        }
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock if io.get_ref().is_none() => "timeout",
        _ => {
            let text = io.to_string();
            return text.split(" (os error ").next().unwrap_or_default().to_owned();
        }
    };
    text.to_owned()
}

/// The error of this type, or one inside it.
pub fn find<'e, T: Error + 'static>(mut error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    loop {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error = match inner {
            Some(inner) => inner,
            None => error.source()?,
        };
    }
}

fn of_tls(error: &Tls) -> String {
    match error {
        Tls::InvalidCertificate(why) => format!("the server's certificate {}", of_certificate(why)),
        Tls::AlertReceived(alert) => format!("the server refuses TLS: {}", words(*alert)),
        Tls::InvalidMessage(_) | Tls::InappropriateMessage { .. } => {
            "the server does not speak TLS here".to_owned()
        }
        Tls::PeerIncompatible(_) => {
            "the server has no version or cipher suite of TLS that is secure".to_owned()
        }
        other => other.to_string(),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    let text = match error {
        CertificateError::UnknownIssuer => "is not issued by an authority that is trusted",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet"
        }
        CertificateError::Revoked => "is revoked",
        CertificateError::BadEncoding => "cannot be read",
        CertificateError::BadSignature => "is not signed by the authority that it names",
        CertificateError::ApplicationVerificationFailure => "is not the one that was pinned",
        // The verifier of rustls tells this one by its name alone.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "is self-signed, or that of an authority: trust it by --ca or --pin"
        }
        other => return format!("is of no use: {other}"),
    };
    text.to_owned()
}

/// `HandshakeFailure` as `handshake failure`.
fn words(alert: AlertDescription) -> String {
    let mut words = String::new();
    for character in format!("{alert:?}").chars() {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_in_words() {
        let certificate = |error| Tls::InvalidCertificate(error);
        for (error, words) in [
            (io::Error::other(certificate(CertificateError::UnknownIssuer)), "not issued by"),
            (io::Error::other(certificate(CertificateError::Expired)), "has expired"),
            (
                io::Error::other(Tls::AlertReceived(AlertDescription::HandshakeFailure)),
                "refuses TLS: handshake failure",
            ),
            (io::ErrorKind::ConnectionReset.into(), "reset the connection"),
            (io::ErrorKind::TimedOut.into(), "timeout"),
            (io::Error::from_raw_os_error(113), "No route to host"),
            (io::Error::other(io::Error::other("inner")), "inner"),
        ] {
            let text = cause(&error);
            assert!(text.contains(words), "{text}");
            assert!(!text.contains("os error") && !text.contains("http"), "{text}");
        }
    }
}
