//! Line breaks in arguments: no value that holds one can be made, so none can be sent.

use ehlo::syntax::command::{
    AbsoluteUri, DomainList, EtrnNode, Mechanism, OtherVerb, SmtpString, UserOrList,
};
use ehlo::syntax::parameter::{
    AuthIdentity, DateTime, Envid, Mtrk, Orcpt, OtherParameter, Solicit, TransId, Xtext,
    XtextMailbox,
};
use ehlo::syntax::path::{AddressLiteral, ClientName, Domain, Host, LocalPart, Mailbox, Text};
use ehlo::syntax::sasl::SaslData;
use ehlo::{Command, Encode, ForwardPath, Parsed, Policy, ReversePath};

/// What the value is on the wire, if it can be made of the text.
type Make = fn(&str) -> Option<Vec<u8>>;

fn wire(value: &impl Encode) -> Vec<u8> {
    let mut out = vec![0; 8192];
    let written = value.encode(&mut out).expect("room");
    out.truncate(written);
    out
}

const ALL: &[(&str, Make)] = &[
    ("ClientName", |text| ClientName::new(text).ok().map(|value| wire(&value))),
    ("Domain", |text| Domain::new(text).ok().map(|value| wire(&value))),
    ("Host", |text| Host::new(text).ok().map(|value| wire(&value))),
    ("AddressLiteral", |text| AddressLiteral::new(text).ok().map(|value| wire(&value))),
    ("LocalPart", |text| LocalPart::new(text).ok().map(|value| wire(&value))),
    ("Mailbox", |text| Mailbox::new(text).ok().map(|value| wire(&value))),
    ("ReversePath", |text| ReversePath::new(text).ok().map(|value| wire(&value))),
    ("ForwardPath", |text| ForwardPath::new(text).ok().map(|value| wire(&value))),
    ("Text", |text| Text::new(text).ok().map(|value| wire(&value))),
    ("SmtpString", |text| SmtpString::new(text).ok().map(|value| wire(&value))),
    ("UserOrList", |text| UserOrList::new(text).ok().map(|value| wire(&value))),
    ("EtrnNode", |text| EtrnNode::new(text).ok().map(|value| wire(&value))),
    ("DomainList", |text| DomainList::new(text).ok().map(|value| wire(&value))),
    ("AbsoluteUri", |text| AbsoluteUri::new(text).ok().map(|value| wire(&value))),
    ("Mechanism", |text| Mechanism::new(text).ok().map(|value| wire(&value))),
    ("OtherVerb", |text| OtherVerb::new(text).ok().map(|value| wire(&value))),
    ("Envid", |text| Envid::new(text).ok().map(|value| wire(&value))),
    ("Envid encoded", |text| Envid::from_encoded(text).ok().map(|value| wire(&value))),
    ("Orcpt", |text| Orcpt::new("rfc822", text).ok().map(|value| wire(&value))),
    ("Orcpt type", |text| Orcpt::new(text, "a@b").ok().map(|value| wire(&value))),
    ("Orcpt encoded", |text| Orcpt::from_encoded(text).ok().map(|value| wire(&value))),
    ("AuthIdentity", |text| XtextMailbox::new(text).ok().map(|v| wire(&AuthIdentity::Mailbox(v)))),
    ("Xtext", |text| Xtext::new(text).ok().map(|value| wire(&value))),
    ("Xtext encoded", |text| Xtext::from_encoded(text).ok().map(|value| wire(&value))),
    ("Solicit", |text| Solicit::new(text).ok().map(|value| wire(&value))),
    ("Mtrk", |text| Mtrk::new(text, None).ok().map(|value| wire(&value))),
    ("TransId", |text| TransId::new(text).ok().map(|value| wire(&value))),
    ("DateTime", |text| DateTime::new(text).ok().map(|value| wire(&value))),
    ("keyword", |text| OtherParameter::new(text, None).ok().map(|value| wire(&value))),
    ("value", |text| OtherParameter::new("X", Some(text)).ok().map(|value| wire(&value))),
    ("SaslData", |text| Some(wire(&SaslData::new(text.as_bytes())))),
];

/// CVE-2015-9096, CVE-2025-59419, bpo-43124 and their kin.
#[test]
fn v23_v24_v25_v27_no_argument_brings_a_line_break() {
    let breaks = ["\r\n", "\n", "\r", "\0", "\r\nRCPT TO:<evil@x.example>\r\n", "+0D+0A", "\\\r\n"];
    let words = ["", "a", "a@b.example", "\"a", "[127.0.0.1", "2027-01-01T00:00:00Z", "imap://a"];
    let mut made = 0;
    for (name, make) in ALL {
        for (line_break, word) in breaks.iter().flat_map(|b| words.iter().map(move |w| (b, w))) {
            let texts = [
                format!("{word}{line_break}"),
                format!("{line_break}{word}"),
                format!("{word}{line_break}{word}"),
                format!("{word}{line_break}\"@b.example"),
                format!("\"{word}{line_break}\"@b.example"),
            ];
            for text in texts {
                let Some(bytes) = make(&text) else { continue };
                made += 1;
                let breaks = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
                assert!(!bytes.iter().any(breaks), "{name}: {text:?}");
            }
        }
    }
    assert!(made > 100, "only {made} of the texts can be made a value at all");
}

/// Characters whose low byte is CR or LF: they stay UTF-8, or are refused.
#[test]
fn v26_no_character_is_narrowed_to_a_line_break() {
    for character in ['\u{10d}', '\u{10a}', '\u{560d}', '\u{560a}', '\u{2028}', '\u{85}'] {
        for (name, make) in ALL {
            for text in [
                format!("{character}"),
                format!("a{character}b@c.example"),
                format!("\"{character}\"@c.example"),
                format!("a{character}.example"),
            ] {
                let Some(bytes) = make(&text) else { continue };
                assert!(!bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n')), "{name}: {text}");
            }
        }
    }
    assert!(ClientName::new("č.example").is_err(), "EHLO has A-labels only");
    assert!(Mechanism::new("PLAINč").is_err() && EtrnNode::new("č").is_err());
}

/// CVE-2025-13033: the domain stands behind the last "@" outside quotes, for reading and writing.
#[test]
fn v30_one_grammar_reads_and_writes() {
    for (address, local, domain) in [
        (r#""user@gmail.com x"@internal.example"#, r#""user@gmail.com x""#, "internal.example"),
        (r#""a@b>c"@d.example"#, r#""a@b>c""#, "d.example"),
        (r#""\"@x.example\\"@d.example"#, r#""\"@x.example\\""#, "d.example"),
        (r#""a b"@[127.0.0.1]"#, r#""a b""#, "[127.0.0.1]"),
    ] {
        let mailbox = Mailbox::new(address).expect(address);
        assert_eq!(mailbox.local_part().to_string(), local);
        assert_eq!(mailbox.domain().to_string(), domain);
        assert_eq!(wire(&mailbox), address.as_bytes());
        let line = format!("RCPT TO:<{address}>\r\n");
        let parsed = Command::parse(line.as_bytes(), &Policy::STRICT);
        let Ok(Parsed::Complete { value: Command::Rcpt { forward_path, .. }, .. }) = parsed else {
            panic!("{parsed:?}")
        };
        assert_eq!(forward_path, ForwardPath::new(address).expect(address));
        assert_eq!(wire(&parsed_rcpt(&line)), line.as_bytes());
    }
    for two in ["a@b@c.example", r#""a"b@c.example"#, r#"a"b"@c.example"#, "@c.example", "a@"] {
        assert!(Mailbox::new(two).is_err(), "{two}");
    }
}

fn parsed_rcpt(line: &str) -> Command<'_> {
    let text = line.trim_end_matches("\r\n").as_bytes();
    Command::parse_line(text, &Policy::STRICT).expect("a command")
}
