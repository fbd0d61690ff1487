//! Rights that hang on the client's address are judged anew whenever that changes.

use crate::process::{Client, Receive};

const XCLIENT: &str = "XCLIENT";

/// The reply to XCLIENT, and to EHLO after it.
fn state(client: &mut Client, attributes: &str) -> (String, String) {
    (client.ask(&format!("XCLIENT {attributes}")), client.ask("EHLO stated.example"))
}

#[test]
fn a_stated_client_cannot_state_another_one() {
    let server = Receive::start(&["--trust", "127.0.0.1", "--submission"]);
    for address in ["192.0.2.9", "IPV6:2001:db8::9", "[UNAVAILABLE]"] {
        let mut client = Client::open(&server);
        assert!(client.hello().contains(XCLIENT));
        let (greeting, offer) = state(&mut client, &format!("ADDR={address} LOGIN=[UNAVAILABLE]"));
        assert!(greeting.starts_with("220"), "{greeting}");
        assert!(!offer.contains("XCLIENT") && !offer.contains("XFORWARD"), "{address}: {offer}");
        assert_eq!(&client.ask("XCLIENT LOGIN=admin ADDR=127.0.0.1")[..1], "5");
        assert_eq!(&client.ask("XFORWARD NAME=x.example")[..1], "5");
        assert_eq!(&client.ask("MAIL FROM:<a@b.example>")[..3], "530");
    }
}

#[test]
fn a_stated_client_that_is_trusted_may_state_another_one() {
    let server = Receive::start(&["--trust", "127.0.0.1", "--trust", "2001:db8::/32"]);
    for (address, is_trusted) in [
        ("127.0.0.1", true),
        ("IPV6:::ffff:127.0.0.1", true),
        ("IPV6:2001:db8::1", true),
        ("IPV6:2001:db9::1", false),
    ] {
        let mut client = Client::open(&server);
        client.hello();
        let (_, offer) = state(&mut client, &format!("ADDR={address}"));
        assert_eq!(offer.contains(XCLIENT), is_trusted, "{address}: {offer}");
    }
    let mut client = Client::open(&server);
    client.hello();
    assert!(state(&mut client, "PORT=4711").1.contains(XCLIENT), "the address is the same");
}

#[test]
fn trust_is_given_by_address_and_by_network() {
    for (trusted, is_trusted) in [
        ("127.0.0.1", true),
        ("::ffff:127.0.0.1", true),
        ("127.0.0.0/8", true),
        ("::ffff:127.0.0.0/104", true),
        ("10.0.0.0/8", false),
        ("::1", false),
        ("::/0", false),
    ] {
        let server = Receive::start(&["--trust", trusted]);
        assert_eq!(Client::open(&server).hello().contains(XCLIENT), is_trusted, "{trusted}");
    }
    let server = Receive::start(&[]);
    assert!(!Client::open(&server).hello().contains(XCLIENT));
}

#[test]
fn the_login_that_a_proxy_states_counts_and_ends_with_the_next_statement() {
    let server = Receive::start(&["--trust", "127.0.0.0/8", "--submission"]);
    let mut client = Client::open(&server);
    client.hello();
    state(&mut client, "LOGIN=anna");
    assert_eq!(&client.ask("MAIL FROM:<a@b.example>")[..3], "250");
    assert_eq!(&client.ask("RSET")[..3], "250");
    state(&mut client, "ADDR=127.0.0.2");
    assert_eq!(&client.ask("MAIL FROM:<a@b.example>")[..3], "530");
}
