//! The header fields of a server: complete, folded, and nothing that a peer says adds a line.

use ehlo::HeloCheck;
use ehlo::identity::DnsAnswer;
use ehlo::syntax::path::{ClientName, Domain, Host};
use ehlo::trace::{
    Atom, AuthenticationResults, Protocol, ReceivedField, ReturnPath, SEPARATOR_MAX, Timestamp,
    separator,
};
use ehlo::{Encode, ForwardPath, ReversePath};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn text(field: &impl Encode) -> Result<String> {
    let mut out = vec![0; field.encoded_len()];
    let written = field.encode(&mut out)?;
    assert_eq!(written, out.len());
    Ok(String::from_utf8(out)?)
}

fn now() -> Timestamp {
    Timestamp::new(1_800_000_000, 60).expect("a year of the grammar")
}

#[test]
fn checked_client_is_traced_by_both_its_names() -> Result {
    let peer = "::ffff:192.0.2.1".parse()?;
    let mut check = HeloCheck::new(peer, ClientName::new("mx.example.org")?);
    check.answer(DnsAnswer::Names(&["mail.example.org"]))?;
    check.answer(DnsAnswer::Addresses(&[peer]))?;
    check.answer(DnsAnswer::Addresses(&["198.51.100.7".parse()?]))?;
    let by = Host::new("[192.0.2.2]")?;
    let mut field = ReceivedField::checked(check.verdict(), by, Protocol::SMTP, now());
    field.recipient = Some(ForwardPath::new("<@relay.example:b@example.net>")?);
    assert_eq!(
        text(&field)?,
        "Received: from mx.example.org (mail.example.org [192.0.2.1])\r\n\
         \t(helo syntax=fully-qualified claim=elsewhere iprev=pass)\r\n\
         \tby [192.0.2.2] with SMTP\r\n\
         \tfor <b@example.net>;\r\n\
         \tFri, 15 Jan 2027 09:00:00 +0100\r\n"
    );
    let results = AuthenticationResults::new(Domain::new("mx.example.net")?, &check.verdict());
    assert_eq!(
        text(&results)?,
        "Authentication-Results: mx.example.net;\r\n\
         \tiprev=pass policy.iprev=192.0.2.1 (mail.example.org)\r\n"
    );
    Ok(())
}

#[test]
fn forger_is_traced_as_one() -> Result {
    let mut check = HeloCheck::new("2001:db8::1".parse()?, ClientName::new("localhost")?);
    check.answer(DnsAnswer::Names(&["mail.example.org"]))?;
    check.answer(DnsAnswer::DoesNotExist)?;
    let by = Host::new("mx.example.net")?;
    let field = ReceivedField::checked(check.verdict(), by, Protocol::ESMTP, now());
    let expected = "Received: from localhost ([IPv6:2001:db8::1])\r\n\
         \t(helo syntax=not-fully-qualified claim=unchecked iprev=fail forgery=loopback)\r\n\
         \tby mx.example.net with ESMTP;\r\n";
    assert!(text(&field)?.starts_with(expected), "{}", text(&field)?);
    Ok(())
}

#[test]
fn what_is_no_name_stands_in_a_comment() -> Result {
    let by = Host::new("mx.example.net")?;
    let received = |name| -> Result<String> {
        let mut field = ReceivedField::new(ClientName::any(name)?, by, Protocol::ESMTP, now());
        field.peer = Some("192.0.2.1".parse()?);
        text(&field)
    };
    for (name, expected) in [
        ("my host", "from [192.0.2.1] ([192.0.2.1])\r\n\t(helo=my host)\r\n"),
        ("a) by evil (b\\", "from [192.0.2.1] ([192.0.2.1])\r\n\t(helo=a\\) by evil \\(b\\\\)\r\n"),
        ("my_host.example", "from [192.0.2.1] ([192.0.2.1])\r\n\t(helo=my_host.example)\r\n"),
        ("m\u{fc}nchen.example", "from [192.0.2.1] ([192.0.2.1])\r\n\t(helo=m??nchen.example)\r\n"),
    ] {
        let received = received(name)?;
        assert!(received.contains(expected), "{received}");
    }
    let mut field = ReceivedField::new(ClientName::any("my host")?, by, Protocol::ESMTP, now());
    assert!(text(&field)?.starts_with("Received: from unknown\r\n\t(helo=my host)\r\n\tby "));
    // A reverse name with an underscore is none that the clause has a form for.
    let claimed = ClientName::new("a.example")?;
    let mut check = HeloCheck::new("192.0.2.1".parse()?, claimed);
    check.answer(DnsAnswer::Names(&["my_host.example"]))?;
    check.answer(DnsAnswer::Addresses(&["192.0.2.1".parse()?]))?;
    check.answer(DnsAnswer::DoesNotExist)?;
    assert!(check.verdict().verified_name().is_some());
    field = ReceivedField::checked(check.verdict(), by, Protocol::ESMTP, now());
    assert!(text(&field)?.starts_with("Received: from a.example ([192.0.2.1])\r\n"));
    Ok(())
}

#[test]
fn postmaster_without_a_domain_has_no_for_clause() -> Result {
    let (claimed, by) = (ClientName::new("a.example")?, Host::new("mx.example")?);
    let mut field = ReceivedField::new(claimed, by, Protocol::LMTP, now());
    field.recipient = Some(ForwardPath::Postmaster);
    assert_eq!(
        text(&field)?,
        "Received: from a.example\r\n\tby mx.example with LMTP;\r\n\tFri, 15 Jan 2027 09:00:00 +0100\r\n"
    );
    Ok(())
}

#[test]
fn no_line_is_too_long_whatever_the_names_are() -> Result {
    let label = "a".repeat(63);
    let long = [label.as_str(), &label, &label, &label[..61]].join(".");
    let irregular = "(".repeat(500);
    let id = "i".repeat(255);
    let by = Host::new(&long)?;
    let mailbox = format!("b@{}", &long[..250]);
    for claimed in [ClientName::new(&long)?, ClientName::any(&irregular)?] {
        let mut check = HeloCheck::new("192.0.2.1".parse()?, claimed);
        check.answer(DnsAnswer::Names(&[&long]))?;
        check.answer(DnsAnswer::Addresses(&["192.0.2.1".parse()?]))?;
        let mut field = ReceivedField::checked(check.verdict(), by, Protocol::ESMTP, now());
        assert_eq!(field.verdict.and_then(|v| v.verified_name()), Some(Domain::new(&long)?));
        field.with = Protocol { smtputf8: true, tls: true, ..Protocol::LMTP };
        field.id = Some(Atom::new(&id)?);
        field.recipient = Some(ForwardPath::new(&mailbox)?);
        let written = text(&field)?;
        let lines: Vec<&str> = written.strip_suffix("\r\n").expect("CRLF").split("\r\n").collect();
        assert!(lines.iter().all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
        assert!(lines.iter().skip(1).all(|line| line.starts_with('\t')));
        let results = AuthenticationResults::new(Domain::new(&long)?, &check.verdict());
        assert!(text(&results)?.split("\r\n").all(|line| line.len() <= 998));
    }
    Ok(())
}

#[test]
fn nothing_is_written_where_it_does_not_fit() -> Result {
    let path = ReturnPath(ReversePath::new("<>")?);
    assert_eq!(text(&path)?, "Return-Path: <>\r\n");
    assert_eq!(path.encode(&mut [0; 16]).expect_err("one byte is missing").needed, 17);
    Ok(())
}

#[test]
fn protocols_are_those_of_the_registry() {
    let mut all = std::collections::BTreeSet::new();
    for bits in 0..32 {
        let bit = |bit: u8| bits >> bit & 1 == 1;
        all.insert(
            Protocol {
                lmtp: bit(0),
                extended: bit(1),
                tls: bit(2),
                authenticated: bit(3),
                smtputf8: bit(4),
            }
            .as_str(),
        );
    }
    // RFC 5321 §8, RFC 3848 §2, RFC 6531 §4.3.
    let registry = "SMTP ESMTP ESMTPA ESMTPS ESMTPSA LMTP LMTPA LMTPS LMTPSA UTF8SMTP UTF8SMTPA \
                    UTF8SMTPS UTF8SMTPSA UTF8LMTP UTF8LMTPA UTF8LMTPS UTF8LMTPSA";
    assert_eq!(all, registry.split_whitespace().collect());
}

/// Whatever the content is, the field of the server above it ends where the server ended it, and so
/// does the header section where the content has no header. The front may come in any pieces.
#[test]
fn v108_content_continues_no_field_of_the_server() {
    let field = b"Received: by mx.example; Fri, 15 Jan 2027 09:00:00 +0100\r\n";
    for content in contents(if cfg!(debug_assertions) { 6 } else { 8 }) {
        let whole = separator(&content, true).expect("all of it is there");
        for end in 0..=content.len() {
            let front = separator(&content[..end], false);
            assert!(front.is_none_or(|it| it == whole), "{} at {end}", content.escape_ascii());
        }
        let stored = [field, whole, &content].concat();
        let (name, _) = first_field(&stored).expect("a field");
        assert_eq!(name, field.len(), "{}", content.escape_ascii());
        // Either it goes on with a field, or the header section is over.
        let below = &stored[name..];
        let goes_on = first_field(below).is_some() || below.starts_with(b"\r\n");
        assert!(goes_on || below.is_empty(), "{}", content.escape_ascii());
        // Nothing is added to what is a message already.
        let is_message = first_field(&content).is_some() || content.starts_with(b"\r\n");
        assert!(!is_message || whole.is_empty(), "{}", content.escape_ascii());
    }
    let long = b"x".repeat(SEPARATOR_MAX);
    assert_eq!(separator(&long[1..], false), None);
    assert_eq!(separator(&long, false), Some(&b"\r\n"[..]));
    assert_eq!(separator(b"", false), None);
}

/// The length of the field at the front of `lines`, with what is folded, and of its name.
fn first_field(lines: &[u8]) -> Option<(usize, usize)> {
    let name = lines.iter().position(|byte| *byte == b':')?;
    let blanks = lines[..name].iter().rev().take_while(|byte| b" \t".contains(byte)).count();
    let text = &lines[..name - blanks];
    if text.is_empty() || !text.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let mut end = name;
    loop {
        let line = lines[end..].windows(2).position(|two| two == b"\r\n");
        end += line.map_or(lines.len() - end, |at| at + 2);
        if !matches!(lines.get(end), Some(b' ' | b'\t')) {
            return Some((end, name));
        }
    }
}

/// Every content of so many bytes, of those that matter.
fn contents(length: usize) -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..length {
        let to = all.len();
        for at in from..to {
            for byte in *b" \t\r\n:a" {
                all.push([&all[at][..], &[byte]].concat());
            }
        }
        from = to;
    }
    all
}
