//! The lines of SASL exchanges.

#![allow(clippy::unwrap_used)] // a test fails by a panic

use base64::engine::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ehlo::syntax::sasl::{Challenge, Response, SaslData};
use ehlo::syntax::{SyntaxErrorKind, limits};
use ehlo::{Encode, Parsed, Policy, Reply};
use proptest::prelude::*;

fn written(value: &impl Encode) -> Vec<u8> {
    let mut out = vec![0; value.encoded_len()];
    value.encode(&mut out).unwrap();
    out
}

proptest! {
    #[test]
    fn bytes_survive(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let own = SaslData::new(&bytes);
        let base64 = written(&own);
        prop_assert_eq!(&base64, &STANDARD.encode(&bytes).into_bytes());
        let parsed = SaslData::parse(&base64).unwrap();
        prop_assert_eq!(parsed, own);
        prop_assert_eq!(own, parsed);
        prop_assert_eq!(parsed.decoded_len(), bytes.len());
        let mut out = vec![0; bytes.len()];
        prop_assert_eq!(parsed.decode(&mut out), Ok(bytes.len()));
        prop_assert_eq!(&out, &bytes);
        if let Some(short) = bytes.len().checked_sub(1) {
            prop_assert_eq!(parsed.decode(&mut out[..short]).unwrap_err().needed, bytes.len());
            prop_assert_ne!(SaslData::new(&bytes[1..]), parsed);
            prop_assert_ne!(parsed, SaslData::new(&bytes[..short]));
        }

        let line = written(&Response::Data(own));
        prop_assert_eq!(Response::parse(&line[..line.len() - 2]), Ok(Response::Data(own)));
        let reply = written(&Challenge(own));
        let Ok(Parsed::Complete { value, .. }) = Reply::parse(&reply, &Policy::STRICT) else {
            panic!();
        };
        prop_assert_eq!(Challenge::from_reply(&value), Ok(Challenge(own)));
    }

    #[test]
    fn verdicts_are_those_of_a_strict_decoder(text in "[A-Da-d0-2+/=]{0,12}|[ -~]{0,8}") {
        let ours = SaslData::parse(text.as_bytes());
        let theirs = STANDARD.decode(&text);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok());
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, SaslData::new(&theirs)),
            (Err(error), _) => {
                prop_assert_eq!(error.kind, SyntaxErrorKind::Base64);
                prop_assert!(error.offset <= text.len());
            }
            _ => {}
        }
    }
}

#[test]
fn faults_are_placed() {
    let fault = |text: &str| SaslData::parse(text.as_bytes()).unwrap_err().offset;
    for (text, offset) in [
        ("=", 0),
        ("A", 1),
        ("AA", 2),
        ("AA=", 2),
        ("AAA", 3),
        ("AAAA=", 4),
        ("AA==AAAA", 2),
        ("AB==", 1),
        ("AAB=", 2),
        ("AAAA AAAA", 4),
        ("AA-_", 2),
        ("AAAA\r\n", 4),
    ] {
        assert_eq!(fault(text), offset, "{text:?}");
    }
}

#[test]
fn initial_responses() {
    assert_eq!(SaslData::parse_initial(b"="), Ok(SaslData::EMPTY));
    assert_eq!(SaslData::parse_initial(b"AA=="), Ok(SaslData::new(b"\0")));
    assert!(SaslData::parse_initial(b"").is_err());
    assert!(SaslData::parse_initial(b"==").is_err());
    let mut out = [0; 8];
    for (data, word) in [(SaslData::EMPTY, &b"="[..]), (SaslData::new(b"\0"), b"AA==")] {
        let mut writer = ehlo::syntax::Writer::new(&mut out);
        data.write_initial(&mut writer);
        let length = writer.finish().unwrap();
        assert_eq!(&out[..length], word);
    }
}

#[test]
fn responses_are_a_star_or_base64_of_one_line() {
    assert_eq!(Response::parse(b""), Ok(Response::Data(SaslData::EMPTY)));
    assert_eq!(written(&Response::Cancel), b"*\r\n");
    assert_eq!(written(&Response::Data(SaslData::EMPTY)), b"\r\n");
    // The word for an initial response of no length, which clients send in a line of its own, too.
    assert_eq!(Response::parse(b"="), Ok(Response::Data(SaslData::EMPTY)));
    for wrong in [&b"=="[..], b"= ", b"=A", b"**", b"* ", b" *", b"AAAA\r"] {
        assert_eq!(Response::parse(wrong).unwrap_err().kind, SyntaxErrorKind::Base64);
    }
    // With its CRLF 12,288 bytes; four digits fewer make the next shorter line of base64.
    let longest = vec![b'A'; limits::AUTH_LINE - 4];
    assert!(Response::parse(&longest).is_ok());
    let error = Response::parse(&[b'A'; limits::AUTH_LINE]).unwrap_err();
    assert_eq!(error.kind, SyntaxErrorKind::AuthLineTooLong);
    assert_eq!((error.code().number(), error.enhanced_code().to_string().as_str()), (500, "5.5.6"));
}

#[test]
fn challenges_are_one_line_of_base64() {
    assert_eq!(written(&Challenge(SaslData::EMPTY)), b"334 \r\n");
    for (reply, right) in [
        (&b"334\r\n"[..], true),
        (b"334 \r\n", true),
        (b"334 AAAA\r\n", true),
        (b"334 not base64\r\n", false),
        (b"334-AAAA\r\n334 AAAA\r\n", false),
    ] {
        let Ok(Parsed::Complete { value, .. }) = Reply::parse(reply, &Policy::STRICT) else {
            panic!();
        };
        assert_eq!(Challenge::from_reply(&value).is_ok(), right, "{value}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let response = Response::Data(SaslData::new(b"\0anna\0secret"));
    let shown = format!("{response:?} {:?}", SaslData::parse(b"c2VjcmV0"));
    assert!(!shown.contains("secret") && !shown.contains("c2Vj") && !shown.contains("115"));
    assert!(shown.contains("redacted, 12 bytes"), "{shown}");
}

#[test]
fn equality_is_of_what_is_meant() {
    let initial = |line: &'static [u8]| match ehlo::Command::parse_line(line, &Policy::STRICT) {
        Ok(ehlo::Command::Auth { initial_response: Some(data), .. }) => data,
        other => panic!("{other:?}"),
    };
    let (spare, canonical) = (initial(b"AUTH PLAIN AB=="), initial(b"AUTH PLAIN AA=="));
    assert!(spare == canonical && spare == SaslData::new(&[0]) && !spare.is_canonical());
    assert!(spare != initial(b"AUTH PLAIN AQ==") && spare != initial(b"AUTH PLAIN AAA="));
}
