//! `--proxy`: every connection begins with a header, and none goes without one.

use std::time::Instant;

use crate::process::{Client, Receive};

const V1: &[u8] = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n";

/// Version 2 with this command and family.
fn v2(command: u8, family: u8, addresses: &[u8], more: usize) -> Vec<u8> {
    let length = u16::try_from(addresses.len() + more).expect("16 bits").to_be_bytes();
    let tlv = match more.checked_sub(3) {
        Some(value) => {
            let value_length = u16::try_from(value).expect("16 bits").to_be_bytes();
            [&[0xe0][..], &value_length, &vec![b'z'; value]].concat()
        }
        None => Vec::new(),
    };
    [b"\r\n\r\n\0\r\nQUIT\n", &[command, family][..], &length, addresses, &tlv].concat()
}

const IPV4: [u8; 12] = [192, 0, 2, 7, 192, 0, 2, 1, 0x12, 0x67, 0, 25];

/// The reply to EHLO behind this header.
fn ehlo(server: &Receive, header: &[u8]) -> String {
    let mut client = Client::open(server);
    client.say_bytes(header);
    client.hello()
}

#[test]
fn the_header_states_the_client() {
    let server = Receive::start(&["--proxy", "any"]);
    for header in [V1.to_vec(), v2(0x21, 0x11, &IPV4, 0), v2(0x21, 0x11, &IPV4, 1100)] {
        let mut client = Client::open(&server);
        client.say_bytes(&header);
        client.hello();
        assert_eq!(&client.message("Subject: x\r\n")[..3], "250");
        let last = server.last();
        assert!(last.contains("([192.0.2.7])"), "{last}");
    }
}

#[test]
fn a_header_and_what_follows_may_come_in_any_pieces() {
    let server = Receive::start(&["--proxy", "any"]);
    let whole = [V1, b"EHLO client.example\r\n"].concat();
    for cut in [1, 5, 6, 35, V1.len() - 1, V1.len(), V1.len() + 3, whole.len()] {
        let mut client = Client::open(&server);
        let (first, second) = whole.split_at(cut);
        client.say_bytes(first);
        std::thread::sleep(std::time::Duration::from_millis(30));
        client.say_bytes(second);
        assert!(client.reply().starts_with("220"));
        assert!(client.reply().starts_with("250"), "cut at {cut}");
    }
}

#[test]
fn nothing_goes_without_a_header_and_nothing_is_guessed() {
    for (versions, wrong) in [
        ("any", &b"EHLO client.example\r\n"[..]),
        ("any", b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 \r\n"),
        ("v2", V1),
        ("v1", &v2(0x21, 0x11, &IPV4, 0)),
    ] {
        let server = Receive::start(&["--proxy", versions]);
        let mut client = Client::open(&server);
        client.say_bytes(wrong);
        assert!(client.is_cut_off(), "{versions}");
        // A silent client waits for a greeting that does not come.
        let server = Receive::start(&["--proxy", versions, "--timeout", "1"]);
        assert!(Client::open(&server).is_cut_off());
    }
    // A header is a command like any other where none is expected.
    let server = Receive::start(&["--trust", "127.0.0.1"]);
    let mut client = Client::open(&server);
    client.hello();
    assert_eq!(&client.ask("PROXY TCP4 192.0.2.7 192.0.2.1 4711 25")[..1], "5");
}

#[test]
fn a_header_that_ends_early_is_not_waited_for() {
    let server = Receive::start(&["--proxy", "any"]);
    for header in [V1.to_vec(), v2(0x21, 0x11, &IPV4, 1100)] {
        let start = Instant::now();
        let mut client = Client::open(&server);
        client.say_bytes(&header[..20]);
        client.end();
        assert!(client.is_cut_off());
        assert!(start.elapsed().as_secs() < 2);
    }
}

#[test]
fn the_trust_in_a_proxy_is_not_that_in_its_clients() {
    let server = Receive::start(&["--proxy", "any", "--trust", "127.0.0.1"]);
    for (header, is_trusted) in [
        (V1.to_vec(), false),
        (b"PROXY UNKNOWN\r\n".to_vec(), false),
        (v2(0x21, 0x00, &[], 0), false),
        (v2(0x21, 0x31, &[0; 216], 0), false),
        (b"PROXY TCP4 127.0.0.1 192.0.2.1 4711 25\r\n".to_vec(), true),
        // The proxy speaks for itself.
        (v2(0x20, 0x00, &[], 0), true),
    ] {
        assert_eq!(ehlo(&server, &header).contains("XCLIENT"), is_trusted, "{header:?}");
    }
}

#[test]
fn the_clients_of_a_proxy_count_by_their_own_address() {
    let server = Receive::start(&["--proxy", "v1", "--max-per-address", "2"]);
    let open = |address: &str| {
        let mut client = Client::open(&server);
        client.say_bytes(format!("PROXY TCP4 {address} 192.0.2.1 4711 25\r\n").as_bytes());
        let greeting = client.reply();
        (client, greeting)
    };
    let held: Vec<(Client, String)> = ["192.0.2.7", "192.0.2.7", "192.0.2.8"].map(open).into();
    assert!(held.iter().all(|(_, greeting)| greeting.starts_with("220")));
    assert!(open("192.0.2.7").1.starts_with("421"));
    assert!(open("192.0.2.9").1.starts_with("220"));
}
