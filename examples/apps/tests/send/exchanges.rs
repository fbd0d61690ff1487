//! The mail exchanges of a domain, on addresses of the loopback interface.
#![cfg(target_os = "linux")] // where each address of 127.0.0.0/8 is there

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::process::Output;

use crate::dns::{self, A, Answer, MX};
use crate::process::{send, text};
use crate::server::{Script, Server};

const ACCEPTS: &[Script] = &[&[]];
const RUNTIMES: [&str; 3] = ["blocking", "tokio", "async-std"];
const TWO: &[&str] = &["--to", "b@example.org", "--to", "c@example.org"];

/// The records of the tests. A host of `hosts.test` has the address 127.1.0.N.
fn records(name: &str, kind: u16) -> Answer {
    let exchanges = |list: &[(u16, &str)]| {
        let owned = list.iter().map(|(preference, name)| (*preference, (*name).to_owned()));
        Answer::Exchanges(owned.collect())
    };
    match (name, kind) {
        ("order.test", MX) => {
            exchanges(&[(30, "4.hosts.test"), (5, "1.hosts.test"), (10, "2.hosts.test")])
        }
        ("null.test", MX) => exchanges(&[(0, "")]),
        ("xn--mnchen-3ya.test" | "implicit.test", MX) => Answer::NoRecord,
        ("xn--mnchen-3ya.test" | "implicit.test", A) => Answer::Address(host(1)),
        ("own.test", MX) => {
            exchanges(&[(5, "1.hosts.test"), (10, "client.example"), (20, "2.hosts.test")])
        }
        ("loop.test", MX) => exchanges(&[(5, "CLIENT.example"), (10, "1.hosts.test")]),
        ("here.test", MX) => exchanges(&[(5, "localhost")]),
        ("lame.test", MX) => exchanges(&[(5, "missing.test"), (10, "1.hosts.test")]),
        ("nowhere.test", MX) => exchanges(&[(5, "missing.test")]),
        ("failing.test", _) => Answer::Failure,
        (name, A) => match name.strip_suffix(".hosts.test").and_then(|n| n.parse().ok()) {
            Some(number) => Answer::Address(host(number)),
            None => Answer::Nothing,
        },
        (name, _) if name.ends_with(".hosts.test") => Answer::NoRecord,
        _ => Answer::Nothing,
    }
}

fn host(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 1, 0, number)
}

fn sent(domain: &str, port: u16, flags: &[&str]) -> Output {
    let dns = dns::Server::serve(records);
    let flags = [&["--mx", "--dns", &dns.address, "--timeout", "20"], TWO, flags].concat();
    send(&format!("{domain}:{port}"), &flags, OsStr::new("-"), b"Subject: x\n\nhi\n")
}

#[test]
fn exchanges_are_tried_in_the_order_of_their_preference() {
    const BUSY: &[Script] = &[&[("", "421 busy!")]];
    const CLOSED: &[Script] = &[&[("", "!")]];
    const NO_SERVICE: &[Script] = &[&[("", "554 no service!")]];
    const NO_HELLO: &[Script] = &[&[("EHLO", "421 busy!")]];
    for runtime in RUNTIMES {
        for second in [BUSY, CLOSED, NO_SERVICE, NO_HELLO] {
            // Nobody listens at the first.
            let third = Server::start_at(host(4), 0, ACCEPTS);
            let second = Server::start_at(host(2), third.port(), second);
            let output = sent("order.test", third.port(), &["--runtime", runtime]);
            let lines = "accepted <b@example.org> 250 - ok\naccepted <c@example.org> 250 - ok\n";
            assert_eq!(text(&output), lines, "{output:?}");
            assert_eq!(output.status.code(), Some(0));
            assert_eq!((second.heard().len(), third.heard().len()), (1, 1));
            let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(complaints.contains("1.hosts.test"), "{complaints}");
            assert!(complaints.contains("2.hosts.test"), "{complaints}");
        }
    }
}

#[test]
fn an_exchange_that_has_taken_a_message_is_the_last() {
    const DEFERS: &[Script] = &[&[("RCPT", "450 4.2.1 later")]];
    let first = Server::start_at(host(1), 0, DEFERS);
    let second = Server::start_at(host(2), first.port(), ACCEPTS);
    let output = sent("order.test", first.port(), &[]);
    let lines =
        "deferred <b@example.org> 450 4.2.1 later\ndeferred <c@example.org> 450 4.2.1 later\n";
    assert_eq!(text(&output), lines, "{output:?}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(second.heard().len(), 0);
}

#[test]
fn the_last_exchange_gives_the_outcome() {
    let server = Server::start_at(host(2), 0, &[&[("", "421 4.3.2 busy!")]]);
    let output = sent("order.test", server.port(), &[]);
    let lines = text(&output);
    for address in ["b@example.org", "c@example.org"] {
        let line = format!("deferred <{address}> - - not sent: cannot connect to 4.hosts.test");
        assert!(lines.contains(&line), "{output:?}");
    }
    assert_eq!(lines.lines().count(), 2);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_domain_without_mx_records_is_its_own_exchange() {
    for domain in ["implicit.test", "implicit.test.", "münchen.test"] {
        let server = Server::start_at(host(1), 0, ACCEPTS);
        let output = sent(domain, server.port(), &[]);
        assert!(text(&output).starts_with("accepted <b@example.org> 250"), "{output:?}");
        assert_eq!(server.heard().len(), 1);
    }
}

#[test]
fn an_address_literal_is_its_own_route() {
    let server = Server::start_at(host(1), 0, ACCEPTS);
    let output = sent("[127.1.0.1]", server.port(), &[]);
    assert!(text(&output).starts_with("accepted <b@example.org> 250"), "{output:?}");
}

#[test]
fn exchanges_behind_this_host_are_not_tried() {
    let behind = Server::start_at(host(2), 0, ACCEPTS);
    let output = sent("own.test", behind.port(), &[]);
    assert!(
        text(&output).starts_with("deferred <b@example.org> - - not sent: cannot"),
        "{output:?}"
    );
    assert_eq!(behind.heard().len(), 0);

    let before = Server::start_at(host(1), behind.port(), ACCEPTS);
    let output = sent("own.test", behind.port(), &[]);
    assert!(text(&output).starts_with("accepted "), "{output:?}");
    assert_eq!((before.heard().len(), behind.heard().len()), (1, 0));
}

#[test]
fn a_host_without_an_address_is_passed_over() {
    let server = Server::start_at(host(1), 0, ACCEPTS);
    let output = sent("lame.test", server.port(), &[]);
    assert!(text(&output).starts_with("accepted "), "{output:?}");
}

#[test]
fn a_domain_without_a_route_gets_no_connection() {
    let server = Server::start_at(host(1), 0, ACCEPTS);
    for (domain, code, line) in [
        ("null.test", 1, "refused <b@example.org> 556 5.1.10 the domain accepts no mail"),
        ("missing.test", 1, "refused <b@example.org> 550 5.1.2 there is no such domain"),
        ("loop.test", 1, "refused <b@example.org> 554 5.4.6 mail for the domain would come back"),
        ("here.test", 1, "refused <b@example.org> 554 5.4.6 mail for the domain would come back"),
        ("nowhere.test", 1, "refused <b@example.org> 550 5.4.4 the domain has no mail exchange"),
        ("failing.test", 2, "deferred <b@example.org> 451 4.4.3 the DNS does not answer"),
    ] {
        let output = sent(domain, server.port(), &[]);
        let lines = text(&output);
        assert!(lines.starts_with(line), "{domain}: {output:?}");
        assert!(lines.contains(&line.replace("<b@", "<c@")), "{output:?}");
        assert_eq!(lines.lines().count(), 2, "{output:?}");
        assert_eq!(output.status.code(), Some(code), "{domain}");
    }
    assert_eq!(server.heard().len(), 0);
}

#[test]
fn only_a_domain_has_exchanges() {
    for (server, flags) in [
        ("unix:/nowhere", &[][..]),
        ("order.test:25", &["--user", "anna:secret"]),
        ("order.test:25", &["--lmtp"]),
        ("two words:25", &[]),
    ] {
        let flags = [&["--mx"], TWO, flags].concat();
        let output = send(server, &flags, OsStr::new("-"), b"");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output).is_empty(), "{output:?}");
    }
}
