//! Sends standard input by lettre: PORT SECURITY MECHANISM AUTHORITY, a mechanism of `-` for none.

use std::error::Error;
use std::io::Read as _;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport as _};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [port, security, mechanism, authority, name, password] = arguments.as_slice() else {
        return Err("PORT SECURITY MECHANISM AUTHORITY NAME PASSWORD".into());
    };
    let tls = || -> Result<_, Box<dyn Error>> {
        let certificate = Certificate::from_pem(&std::fs::read(authority)?)?;
        Ok(TlsParameters::builder("localhost".into()).add_root_certificate(certificate).build()?)
    };
    let mut builder = SmtpTransport::builder_dangerous("127.0.0.1")
        .port(port.parse()?)
        .hello_name(ClientId::Domain("client.test".into()))
        .tls(match security.as_str() {
            "without TLS" => Tls::None,
            "STARTTLS" => Tls::Required(tls()?),
            "implicit TLS" => Tls::Wrapper(tls()?),
            _ => return Err("no such security".into()),
        });
    let mechanism = match mechanism.as_str() {
        "-" => None,
        "PLAIN" => Some(Mechanism::Plain),
        "LOGIN" => Some(Mechanism::Login),
        "XOAUTH2" => Some(Mechanism::Xoauth2),
        _ => return Err("no such mechanism".into()),
    };
    if let Some(mechanism) = mechanism {
        let credentials = Credentials::new(name.clone(), password.clone());
        builder = builder.credentials(credentials).authentication(vec![mechanism]);
    }
    let mut content = Vec::new();
    std::io::stdin().read_to_end(&mut content)?;
    let envelope = Envelope::new(Some("a@test".parse()?), vec!["u@test".parse()?])?;
    builder.build().send_raw(&envelope, &content)?;
    Ok(())
}
