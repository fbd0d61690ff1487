//! Paths and their parts, built as RFC 5321 §4.1.2 builds them: what is written is read as the same,
//! and no part of it as another.

#![allow(clippy::unwrap_used)] // a test fails by a panic

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ehlo::syntax::limits;
use ehlo::syntax::path::{
    AddressLiteral, ClientName, Domain, GeneralAddressLiteral, Host, LocalPart, Mailbox, Path,
    SourceRoute,
};
use ehlo::{Encode, ForwardPath, Policy, ReversePath};
use proptest::prelude::*;

/// What a server reads that has offered SMTPUTF8.
const UTF8: Policy = Policy::STRICT.with_smtputf8(true);

fn text(value: &impl Encode) -> String {
    let mut out = vec![0; value.encoded_len()];
    assert_eq!(value.encode(&mut out), Ok(out.len()));
    String::from_utf8(out).unwrap()
}

/// `sub-domain = Let-dig [Ldh-str]`, or a U-label.
fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[A-Za-z0-9]([A-Za-z0-9-]{0,12}[A-Za-z0-9])?",
        1 => "[A-Za-z0-9]{63}",
        1 => "[a-zà-öø-ÿα-ω]{1,10}",
        1 => "[一-龥]{1,5}",
    ]
}

fn domain() -> impl Strategy<Value = String> {
    prop::collection::vec(label(), 1..4).prop_map(|labels| labels.join("."))
}

fn ascii_domain() -> impl Strategy<Value = String> {
    domain().prop_filter("U-labels", |domain| domain.is_ascii())
}

/// `Dot-string` or `Quoted-string`.
fn local_part() -> impl Strategy<Value = String> {
    let atom = "[!#-'*+/-9=?A-Z^-~-]{1,8}".prop_map(|atom: String| atom.replace('.', "x"));
    let quoted = prop::collection::vec(
        prop_oneof!["[ !#-\\[\\]-~]{1,6}", "\\\\[ -~]", "[à-öα-ω]{1,3}"],
        0..6,
    );
    prop_oneof![
        4 => prop::collection::vec(atom, 1..4).prop_map(|atoms| atoms.join(".")),
        1 => "[a-z]{1,4}[à-öα-ω]{1,5}",
        2 => quoted.prop_map(|parts| format!("\"{}\"", parts.concat())),
    ]
}

fn address() -> impl Strategy<Value = IpAddr> {
    let group = prop_oneof![2 => Just(0), 1 => any::<u16>(), 1 => 0_u16..16];
    prop_oneof![
        any::<[u8; 4]>().prop_map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
        prop::array::uniform8(group).prop_map(|groups| IpAddr::V6(Ipv6Addr::from(groups))),
        any::<[u8; 4]>().prop_map(|bytes| IpAddr::V6(Ipv4Addr::from(bytes).to_ipv6_mapped())),
    ]
}

/// `General-address-literal`, without its brackets.
fn general() -> impl Strategy<Value = String> {
    "([A-HJ-Za-hj-z][A-Za-z0-9-]{0,6})?[A-Za-z0-9]:[!-Z^-~]{1,20}"
        .prop_filter("IPv6", |text| !text.to_ascii_lowercase().starts_with("ipv6:"))
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        address().prop_map(|address| text(&AddressLiteral::from(address))),
        general().prop_map(|general| format!("[{general}]")),
    ]
}

fn mailbox() -> impl Strategy<Value = String> {
    (local_part(), prop_oneof![4 => domain(), 1 => literal()])
        .prop_map(|(local_part, host)| format!("{local_part}@{host}"))
}

fn route() -> impl Strategy<Value = String> {
    prop::collection::vec(domain(), 1..3)
        .prop_map(|domains| {
            domains.iter().map(|name| format!("@{name}")).collect::<Vec<_>>().join(",")
        })
        .prop_filter("too long", |route| route.len() <= limits::PATH - "<:a@b>".len())
}

/// A path in its brackets.
fn path() -> impl Strategy<Value = String> {
    (prop::option::weighted(0.2, route()), mailbox())
        .prop_map(|(route, mailbox)| match route {
            Some(route) => format!("<{route}:{mailbox}>"),
            None => format!("<{mailbox}>"),
        })
        .prop_filter("too long", |path| path.len() <= limits::PATH)
}

proptest! {
    #[test]
    fn domains(name in domain()) {
        let domain = Domain::new(&name).unwrap();
        assert_eq!(text(&domain), name.as_str());
        assert_eq!(domain, Domain::new(&name.to_ascii_uppercase()).unwrap());
        assert_eq!(Host::new(&name).unwrap(), Host::Domain(domain));
        for bad in ["-", ".", "_", " ", "\r\n", "@", ">"] {
            assert!(Domain::new(&format!("{name}{bad}")).is_err());
            assert!(Domain::new(&format!("{bad}{name}")).is_err());
        }
    }

    #[test]
    fn local_parts(local in local_part()) {
        let value = LocalPart::new(&local).unwrap();
        assert_eq!(text(&value), local.as_str());
        // Quoted, it means the same.
        let bytes: Vec<u8> = value.unquoted().collect();
        let escaped: Vec<u8> = bytes
            .iter()
            .flat_map(|byte| if byte.is_ascii() { vec![b'\\', *byte] } else { vec![*byte] })
            .collect();
        let quoted = format!("\"{}\"", String::from_utf8(escaped).unwrap());
        if quoted.len() <= limits::LOCAL_PART {
            assert_eq!(LocalPart::new(&quoted).unwrap(), value);
        }
        for bad in ["\r\n", "@", "\0", "."] {
            assert!(LocalPart::new(&format!("{local}{bad}")).is_err());
        }
    }

    #[test]
    fn addresses(address in address()) {
        let literal = AddressLiteral::from(address);
        assert_eq!(literal.ip(), Some(address));
        let text = text(&literal);
        assert_eq!(AddressLiteral::new(&text).unwrap(), literal);
        assert_eq!(AddressLiteral::new(&text.to_ascii_uppercase()).unwrap(), literal);
        // Whatever else the standard library writes.
        let theirs = match address {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        assert_eq!(AddressLiteral::new(&theirs).unwrap(), literal);
    }

    #[test]
    fn general_literals(general in general()) {
        let value = GeneralAddressLiteral::new(&general).unwrap();
        assert_eq!(format!("{}:{}", value.tag(), value.content()), general.as_str());
        let literal = AddressLiteral::General(value);
        let text = text(&literal);
        assert_eq!(&text, &format!("[{general}]"));
        assert_eq!(AddressLiteral::new(&text).unwrap(), literal);
    }

    #[test]
    fn mailboxes(local in local_part(), host in prop_oneof![domain(), literal()]) {
        let text = format!("{local}@{host}");
        let mailbox = Mailbox::new(&text).unwrap();
        assert_eq!(mailbox.local_part(), LocalPart::new(&local).unwrap());
        assert_eq!(mailbox.domain(), Host::new(&host).unwrap());
        assert_eq!(self::text(&mailbox), text);
        assert_eq!(mailbox.is_ascii(), text.is_ascii());
    }

    #[test]
    fn routes(route in route()) {
        let value = SourceRoute::new(&route).unwrap();
        assert_eq!(text(&value), route.as_str());
        let domains: Vec<_> = value.domains().map(|domain| format!("@{domain}")).collect();
        assert_eq!(domains.join(","), route);
    }

    #[test]
    fn paths(path in path()) {
        let value = Path::new(&path).unwrap();
        assert_eq!(text(&value), path.as_str());
        let (reverse, forward) = (ReversePath::from(value), ForwardPath::from(value));
        let bytes = path.as_bytes();
        assert_eq!(ReversePath::parse(bytes, &UTF8), Ok(reverse));
        assert_eq!(ForwardPath::parse(bytes, &UTF8), Ok(forward));
        assert_eq!([text(&reverse), text(&forward)], [path.as_str(); 2]);
        for end in 0..bytes.len() {
            assert!(ReversePath::parse(&bytes[..end], &UTF8).is_err());
            assert!(ForwardPath::parse(&bytes[..end], &UTF8).is_err());
        }
        let bare = value.without_route();
        assert_eq!(bare, Path::from(value.mailbox()));
        assert_eq!(Path::new(&text(&bare)).unwrap(), bare);
        if path.is_ascii() {
            assert_eq!(ReversePath::parse(bytes, &Policy::STRICT), Ok(reverse));
        } else {
            assert!(ReversePath::parse(bytes, &Policy::STRICT).is_err());
        }
    }

    #[test]
    fn client_names(name in prop_oneof![ascii_domain(), literal()]) {
        let value = ClientName::new(&name).unwrap();
        assert_eq!(text(&value), name.as_str());
        assert_eq!(ClientName::new(&text(&value)).unwrap(), value);
    }
}

#[test]
fn paths_are_sorted_by_domain() {
    let mut paths: Vec<ForwardPath<'_>> = [
        "b@B.example",
        "a@[192.0.2.1]",
        "Postmaster",
        "a@c.example",
        "a@b.example",
        "\"a\"@B.EXAMPLE",
    ]
    .map(|text| ForwardPath::try_from(text).unwrap())
    .to_vec();
    paths.sort();
    paths.dedup();
    let shown: Vec<String> = paths.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["<Postmaster>", "<a@b.example>", "<b@B.example>", "<a@c.example>", "<a@[192.0.2.1]>"]
    );
}

#[test]
fn text_becomes_what_it_says_or_an_error() {
    assert_eq!(Domain::try_from("b.example"), Domain::new("b.example"));
    assert_eq!(Mailbox::try_from("a@b.example"), Mailbox::new("a@b.example"));
    assert_eq!(ReversePath::try_from(""), Ok(ReversePath::Null));
    assert_eq!(AddressLiteral::try_from("[x]"), AddressLiteral::new("[x]"));
    assert!(Path::try_from("a b@c").is_err());
    let domain: &str = Domain::new("B.example").unwrap().as_str();
    assert_eq!(Domain::new("B.example").unwrap().as_ref(), domain);
}
