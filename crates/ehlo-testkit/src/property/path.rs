//! Paths and their parts.

use std::net::{Ipv4Addr, Ipv6Addr};

use ehlo::syntax::limits;
use ehlo::syntax::path::{
    AddressLiteral, ClientName, Domain, GeneralAddressLiteral, Host, LocalPart, Mailbox, Path,
    SourceRoute, Text,
};
use ehlo::{Encode, ForwardPath, Policy, ReversePath, SyntaxError};

use super::{any_policy, assert_no_control, hash, wire};

/// Writes `$value` in `$most` bytes at most, which `$parse` to the same.
macro_rules! comes_back {
    ($value:expr, $most:expr, |$bytes:ident| $parse:expr) => {{
        let bytes = wire(&$value);
        assert!(bytes.len() <= $most, "{:?} has {} bytes", $value, bytes.len());
        assert_no_control(&bytes);
        let $bytes = bytes.as_slice();
        let again = $parse.expect("what was written");
        assert_eq!(again, $value);
        assert_eq!(hash(&again), hash(&$value));
        assert_eq!(wire(&again), bytes);
    }};
}

/// A path or a part of one: a parsed or built value is written in one form, which parses to the
/// same value, is harmless and keeps the limits; address literals are those of the standard
/// library, apart from the rules of RFC 5321.
pub fn path(input: &[u8]) {
    for policy in
        [Policy::STRICT, Policy::STRICT.with_smtputf8(true), Policy::LENIENT, any_policy(input)]
    {
        // Brackets, and the dotted form of an IPv6 address.
        let most = if policy.any_length { input.len() + 10 } else { limits::PATH };
        match ReversePath::parse(input, &policy) {
            Ok(path) => {
                assert!(path.is_within_limits() || policy.any_length, "{path}");
                comes_back!(path, most, |w| ReversePath::parse(w, &policy));
                shown(&path, path.to_string());
            }
            Err(error) => located(error, input),
        }
        match ForwardPath::parse(input, &policy) {
            Ok(path) => {
                assert!(path.is_within_limits() || policy.any_length, "{path}");
                comes_back!(path, most, |w| ForwardPath::parse(w, &policy));
                shown(&path, path.to_string());
            }
            Err(error) => located(error, input),
        }
    }
    if let Ok(text) = core::str::from_utf8(input) {
        parts(text);
        literal(text);
    }
}

/// Asserts that the displayed value is the encoded one.
fn shown(path: &impl Encode, shown: String) {
    assert_eq!(shown.into_bytes(), wire(path));
}

fn parts(text: &str) {
    macro_rules! built {
        ($($name:ident $most:expr;)*) => {
            $(match $name::new(text) {
                Ok(value) => comes_back!(value, $most, |bytes| {
                    $name::new(core::str::from_utf8(bytes).expect("UTF-8"))
                }),
                Err(error) => located(error, text.as_bytes()),
            })*
        };
    }
    built! {
        AddressLiteral limits::PATH + 2;
        ClientName limits::PATH + 2;
        Domain limits::DOMAIN;
        ForwardPath limits::PATH;
        Host limits::PATH + 2;
        LocalPart limits::LOCAL_PART;
        Mailbox limits::PATH - 2;
        Path limits::PATH;
        ReversePath limits::PATH;
        SourceRoute limits::PATH;
        Text limits::COMMAND_LINE - 7;
    }
    if let Ok(general) = GeneralAddressLiteral::new(text) {
        assert_eq!(format!("{}:{}", general.tag(), general.content()), text);
    }
    if let Ok(local_part) = LocalPart::new(text) {
        unquoted(&local_part);
    }
}

/// Quotes may come and go: the same bytes in quotes, every one escaped, are an equal local part.
fn unquoted(local_part: &LocalPart<'_>) {
    let bytes: Vec<u8> = local_part.unquoted().collect();
    let mut quoted = vec![b'"'];
    for byte in &bytes {
        if byte.is_ascii() {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    if quoted.len() <= limits::LOCAL_PART {
        let text = core::str::from_utf8(&quoted).expect("UTF-8");
        let quoted = LocalPart::new(text).expect("a quoted string");
        assert_eq!(&quoted, local_part);
        assert_eq!(hash(&quoted), hash(local_part));
        assert!(quoted.unquoted().eq(bytes));
    }
}

fn literal(text: &str) {
    let Some(inside) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else {
        return;
    };
    let literal = AddressLiteral::new(text);
    if let Ok(address) = inside.parse::<Ipv4Addr>() {
        assert_eq!(literal, Ok(AddressLiteral::Ipv4(address)));
    }
    let tag = inside.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
    let Some(inside) = tag.and_then(|_| inside.get(5..)) else { return };
    match (literal, inside.parse::<Ipv6Addr>()) {
        (Ok(literal), Ok(address)) => assert_eq!(literal, AddressLiteral::Ipv6(address)),
        // RFC 5321 §4.1.3: numbers of an IPv4 address may have leading zeros.
        (Ok(_), Err(_)) => {
            assert!(inside.contains(".0") || inside.contains(":0"), "{text}");
        }
        // RFC 5321 §4.1.3: "The "::" represents at least 2 16-bit groups of zeros."
        (Err(_), Ok(_)) => {
            let dotted = usize::from(inside.contains('.'));
            let groups = inside.split(':').filter(|group| !group.is_empty()).count() + dotted;
            assert!(inside.contains("::") && groups == 7, "{text}");
        }
        (Err(_), Err(_)) => {}
    }
}

fn located(error: SyntaxError, input: &[u8]) {
    assert!(error.offset <= input.len(), "{error:?} in {} bytes", input.len());
    assert!(!error.code().is_positive());
}
