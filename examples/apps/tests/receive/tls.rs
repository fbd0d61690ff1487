//! The certificate is read again at SIGHUP.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ehlo_rustls::rustls::{ClientConnection, Stream};
use ehlo_tokio::Connector;

use crate::process::{Client, Receive};

/// A new certificate and its key in these files; the certificate.
fn write(cert: &Path, key: &Path) -> Vec<u8> {
    let made =
        rcgen::generate_simple_self_signed(["mx.example".to_owned()]).expect("a certificate");
    fs::write(cert, made.cert.pem()).expect("a file");
    fs::write(key, made.signing_key.serialize_pem()).expect("a file");
    made.cert.der().to_vec()
}

/// The certificate that the server shows.
fn shown(server: &Receive) -> Vec<u8> {
    let connector = Connector::unverified("mx.example").expect("a name");
    let config = Arc::clone(connector.config());
    let mut tls = ClientConnection::new(config, connector.name().clone()).expect("a client");
    let mut socket = TcpStream::connect(&server.address).expect("a connection");
    Stream::new(&mut tls, &mut socket).flush().expect("a handshake");
    tls.peer_certificates().expect("a certificate")[0].to_vec()
}

#[test]
fn a_certificate_is_replaced_while_the_server_runs() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (cert, key) = (folder.join("receive-cert.pem"), folder.join("receive-key.pem"));
    let first = write(&cert, &key);
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    let server = Receive::start(&["--implicit-tls", "--cert", &text(&cert), "--key", &text(&key)]);
    assert_eq!(shown(&server), first);
    let second = write(&cert, &key);
    server.interrupt("HUP");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(shown(&server), second);
    // Files that are of no use change nothing.
    fs::write(&cert, "no certificate").expect("a file");
    server.interrupt("HUP");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(shown(&server), second);
}

#[test]
fn sighup_does_not_end_a_server_without_files() {
    let mut server = Receive::start(&[]);
    server.interrupt("HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert!(server.is_running());
    assert!(Client::open(&server).reply().starts_with("220"));
}
