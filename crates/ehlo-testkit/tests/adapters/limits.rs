//! What blocking streams owe to a peer, and what not: an alert, and patience with one that drips the
//! bytes of a record.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use ehlo::machine::{Machine, PlaintextInjection, Received, Upgrade, Wants};
use ehlo_blocking::{Connector, Tls, TlsConnection, configure_tcp};
use rustls::RootCertStore;

use crate::tls;
use crate::wires::sockets;

/// Waits for what never comes, and not for long once it is in a hurry.
struct Waiting {
    in_a_hurry: bool,
}

impl Machine for Waiting {
    type Event<'i> = ();

    fn wants(&mut self, _: &[u8]) -> Wants {
        Wants::Input { consumed: 0 }
    }

    fn receive(&mut self, _: &[u8]) -> Received<()> {
        Received { consumed: 0, event: () }
    }

    fn end_of_input(&mut self) {}

    fn is_at_end(&self) -> bool {
        false
    }

    fn timeout(&self) -> Duration {
        if self.in_a_hurry { Duration::from_millis(50) } else { Duration::from_secs(60) }
    }
}

impl Upgrade for Waiting {
    fn awaits_tls(&self) -> bool {
        false
    }

    fn tls_established(&mut self, _: &[u8]) -> Result<(), PlaintextInjection> {
        Err(PlaintextInjection)
    }
}

#[test]
fn v98_a_client_that_drips_a_record_is_left() {
    let (client, server) = sockets();
    let dripping = thread::spawn(move || {
        let mut client = Tls::<TcpStream>::handshake(client, tls::client()).expect("a handshake");
        client.tls.writer().write_all(&[b'x'; 16_000]).expect("room");
        let mut record = Vec::new();
        client.tls.write_tls(&mut record).expect("memory");
        for byte in record {
            if client.stream.write_all(&[byte]).is_err() {
                return true;
            }
            thread::sleep(Duration::from_millis(1));
        }
        false
    });
    configure_tcp(&server).expect("a socket");
    let mut connection = TlsConnection::new(server.into(), Waiting { in_a_hurry: false });
    connection.implicit_tls(tls::server()).expect("a handshake");
    connection.endpoint().machine_mut().in_a_hurry = true;
    let error = connection.next().err().map(|error| error.kind());
    drop(connection);
    assert_eq!(error, Some(std::io::ErrorKind::TimedOut));
    assert!(dripping.join().expect("a client"), "it was left after the whole record");
}

/// RFC 8446 §6.2: it hears of it by an alert, and not by the end of the stream.
#[test]
fn a_peer_whose_certificate_is_refused_is_told() {
    let (client, server) = sockets();
    let serving = thread::spawn(move || Tls::<TcpStream>::handshake(server, tls::server()));
    let stranger = Connector::trusting(RootCertStore::empty(), tls::NAME).expect("a name");
    Tls::<TcpStream>::handshake(client, &stranger).expect_err("a certificate of nobody");
    let told = serving.join().expect("a server").expect_err("a client that is gone");
    assert_eq!(told.kind(), std::io::ErrorKind::InvalidData, "{told}");
}
