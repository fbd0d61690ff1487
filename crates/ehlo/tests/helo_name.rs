//! The name that a client greets with: what it may be, and how it is found.

use std::net::IpAddr;

use ehlo::HeloName;
use ehlo::identity::HeloNameError::{self, Syntax, ThisHost};
use ehlo::identity::NameSyntax::{
    BareAddress, Invalid, InvalidALabel, MissingIpv6Tag, NotAscii, NotFullyQualified, OtherLiteral,
    TooLong, TrailingDot, Underscore,
};
use ehlo::identity::OwnHost;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn only_what_every_server_can_use_is_a_name_for_every_server() {
    for name in [
        "client.example",
        "xn--mnchen-3ya.example",
        "[192.0.2.1]",
        "[10.0.0.1]",
        "[IPv6:2001:db8::1]",
        "a.localhost.example",
        // RFC 6761 §6.3 has `localhost` alone.
        "nas.localdomain",
    ] {
        assert!(HeloName::new(name).is_ok(), "{name}");
    }
    let long = format!("{}.example", "a".repeat(64));
    for (name, error) in [
        ("client", Syntax(NotFullyQualified)),
        ("client.123", Syntax(NotFullyQualified)),
        ("", Syntax(Invalid)),
        ("a b", Syntax(Invalid)),
        ("a.example\r\nRSET", Syntax(Invalid)),
        ("192.0.2.1", Syntax(BareAddress)),
        ("2001:db8::1", Syntax(BareAddress)),
        ("[2001:db8::1]", Syntax(MissingIpv6Tag)),
        ("[x:y]", Syntax(OtherLiteral)),
        ("my_host.example", Syntax(Underscore)),
        ("client.example.", Syntax(TrailingDot)),
        ("xn--99999999999.example", Syntax(InvalidALabel)),
        ("m\u{fc}nchen.example", Syntax(NotAscii)),
        (&long, Syntax(TooLong)),
        ("localhost", ThisHost),
        ("LocalHost.LocalDomain", ThisHost),
        ("a.localhost", ThisHost),
        ("[127.0.0.1]", ThisHost),
        ("[127.9.9.9]", ThisHost),
        ("[0.0.0.0]", ThisHost),
        ("[IPv6:::1]", ThisHost),
        ("[IPv6:::ffff:127.0.0.1]", ThisHost),
    ] {
        assert_eq!(HeloName::new(name), Err(error), "{name}");
        assert_eq!(HeloName::for_server(name, address("192.0.2.25")), Err(error), "{name}");
    }
}

#[test]
fn server_on_this_host_takes_names_of_this_host() {
    for server in ["127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1"] {
        for name in ["localhost", "client", "[127.0.0.1]", "[IPv6:::1]", "client.example"] {
            let name = HeloName::for_server(name, address(server));
            assert!(name.is_ok(), "{name:?} to {server}");
        }
        for name in ["my_host.example", "192.0.2.1", "m\u{fc}nchen", "a b"] {
            let name = HeloName::for_server(name, address(server));
            assert!(matches!(name, Err(Syntax(_))), "{name:?} to {server}");
        }
    }
}

#[test]
fn host_finds_its_name() {
    let found = |host, domain, from: Option<&str>, server| -> Result<String, HeloNameError> {
        let own = OwnHost { host, domain, address: from.map(address) };
        let mut out = [0; HeloName::MAX_LEN];
        own.helo_name(address(server), &mut out).map(|name| name.to_string())
    };
    let (there, here) = ("192.0.2.25", "::1");
    let own = Some("198.51.100.7");
    for (host, domain, from, server, expected) in [
        // A name that is whole is taken as it is.
        ("mail.example.org", Some("example.net"), own, there, Ok("mail.example.org")),
        // One that is not is put into the domain.
        ("mail", Some("example.net"), own, there, Ok("mail.example.net")),
        ("mail", Some("example.net"), own, here, Ok("mail.example.net")),
        // Where there is none, the address stands for it; not for a server that knows the host.
        ("mail", None, own, there, Ok("[198.51.100.7]")),
        ("mail", None, Some("2001:db8::7"), there, Ok("[IPv6:2001:db8::7]")),
        ("mail", None, Some("::ffff:198.51.100.7"), there, Ok("[198.51.100.7]")),
        ("mail", None, own, here, Ok("mail")),
        ("my_host", Some("example.net"), own, there, Ok("[198.51.100.7]")),
        ("mail", Some("ex_ample.net"), own, there, Ok("[198.51.100.7]")),
        // No name of this host goes to another, in no disguise.
        ("localhost", Some("example.net"), own, there, Ok("[198.51.100.7]")),
        ("localhost.localdomain", None, own, there, Ok("[198.51.100.7]")),
        ("localhost", None, Some("127.0.0.1"), there, Err(ThisHost)),
        // A name that no DNS knows is better than nothing, and worse than the address.
        ("nas.localdomain", None, own, there, Ok("[198.51.100.7]")),
        ("nas.LocalDomain", None, None, there, Ok("nas.LocalDomain")),
        ("nas.localdomain.example", None, own, there, Ok("nas.localdomain.example")),
        ("mail", None, Some("0.0.0.0"), there, Err(Syntax(NotFullyQualified))),
        ("localhost", Some("example.net"), None, here, Ok("localhost")),
        // And where there is nothing, nothing is made up.
        ("mail", None, None, there, Err(Syntax(NotFullyQualified))),
        ("", Some("example.net"), None, there, Err(Syntax(Invalid))),
    ] {
        let found = found(host, domain, from, server);
        assert_eq!(found, expected.map(str::to_owned), "{host} in {domain:?} from {from:?}");
    }
}

#[test]
fn name_that_is_too_long_with_its_domain_is_not_cut() {
    let label = "a".repeat(63);
    let domain = [label.as_str(), &label, &label, "example"].join(".");
    let mut own = OwnHost { host: &label, domain: Some(&domain), address: None };
    let mut out = [0; HeloName::MAX_LEN];
    let name = own.helo_name(address("192.0.2.25"), &mut out);
    assert_eq!(name, Err(Syntax(NotFullyQualified)));
    own.address = Some(address("198.51.100.7"));
    let name = own.helo_name(address("192.0.2.25"), &mut out).map(|name| name.to_string());
    assert_eq!(name, Ok("[198.51.100.7]".to_owned()));
}
