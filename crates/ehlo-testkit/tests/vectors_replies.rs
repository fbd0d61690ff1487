//! The conformance vectors for replies, greetings and EHLO replies.

#![allow(clippy::unwrap_used)] // a test fails by a panic

use ehlo::syntax::SyntaxErrorKind;
use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::code::Severity;
use ehlo::syntax::reply::{ReplyFrame, ReplyLimits};
use ehlo::syntax::sasl::{Mechanisms, SaslMechanism};
use ehlo::{Code, Extension, Parsed, Policy, Reply};
use ehlo_testkit::vectors::{ReplyKind, ReplyVector, replies};

/// RFC 5321 §3.1: a server greets with 220, or says that it gives no service.
fn may_greet(code: Code) -> bool {
    code == Code::SERVICE_READY
        || matches!(code.severity(), Severity::TransientNegative | Severity::PermanentNegative)
}

#[test]
fn every_reply_vector_agrees() {
    for vector in replies() {
        let id = &vector.id;
        match Reply::parse(&vector.input, &Policy::STRICT) {
            Ok(Parsed::Complete { value, consumed }) => {
                let accepted = vector.kind != ReplyKind::Greeting || may_greet(value.code());
                assert_eq!(accepted, vector.is_valid, "{id}: {value}");
                if accepted {
                    assert_eq!(consumed, vector.input.len(), "{id}");
                    assert_eq!(Some(value.code().number()), vector.code, "{id}");
                    assert_eq!(Some(value.lines().count()), vector.lines, "{id}");
                    assert_eq!(value.as_bytes(), Some(vector.input.as_slice()), "{id}");
                }
            }
            Ok(Parsed::Incomplete) => assert!(vector.is_incomplete, "{id}: incomplete"),
            Err(error) => {
                assert!(!vector.is_valid && !vector.is_incomplete, "{id}: {error}");
                assert!(error.offset < vector.input.len(), "{id}: {error}");
            }
        }
    }
}

#[test]
fn errors_are_named_and_placed() {
    use SyntaxErrorKind::{BareCr, BareLf, ReplyCode, ReplyCodeChanges, ReplyText, ReplyTooLong};
    let expected = [
        ("rep-061", ReplyCode, 2),
        ("rep-063", ReplyCode, 3),
        ("rep-070", ReplyCode, 0),
        ("rep-078", ReplyCode, 3),
        ("rep-085", ReplyCodeChanges, 7),
        ("rep-087", ReplyCode, 7),
        ("rep-090", ReplyCode, 9),
        ("rep-092", BareLf, 6),
        ("rep-094", BareCr, 6),
        ("rep-097", ReplyText, 5),
        ("rep-099", ReplyText, 4),
        ("rep-100", ReplyText, 4),
        ("rep-161", ReplyCodeChanges, 15),
    ];
    for (id, kind, offset) in expected {
        let vectors: Vec<ReplyVector> = replies().collect();
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let error = Reply::parse(&vector.input, &Policy::STRICT).unwrap_err();
        assert_eq!((error.kind, error.offset), (kind, offset), "{id}");
    }
    let vectors: Vec<ReplyVector> = replies().collect();
    let endless = vectors.iter().find(|vector| vector.id == "rep-165").unwrap();
    let error = Reply::parse(&endless.input, &Policy::LENIENT).unwrap_err();
    assert_eq!(error.kind, ReplyTooLong);
}

#[test]
fn text_beyond_ascii_is_one_policy() {
    let policy = Policy::STRICT.with_any_reply_text(true);
    for vector in replies() {
        let tolerated = matches!(vector.id.as_str(), "rep-099" | "rep-100");
        let strict = Reply::parse(&vector.input, &Policy::STRICT);
        let lenient = Reply::parse(&vector.input, &policy);
        assert_eq!(strict != lenient, tolerated, "{}", vector.id);
    }
}

#[test]
fn byte_by_byte_gives_the_same() {
    let (limits, policy) = (ReplyLimits::default(), Policy::STRICT);
    for vector in replies() {
        let whole = ReplyFrame::new().advance(&vector.input, &limits, &policy);
        let mut frame = ReplyFrame::new();
        let mut last = Ok(None);
        for end in 0..=vector.input.len() {
            last = frame.advance(&vector.input[..end], &limits, &policy);
            if last != Ok(None) {
                break;
            }
        }
        assert_eq!(last, whole, "{}", vector.id);
    }
}

/// The id, the extensions, and the mechanisms and the size.
type Offer<'a> = (&'a str, &'a [Extension], (Option<Mechanisms>, Option<u64>));

#[test]
fn replies_to_ehlo_offer_what_they_list() {
    use Extension::{
        Auth, Chunking, Dsn, EightBitMime, EnhancedStatusCodes, Help, Limits, Pipelining, Size,
        SmtpUtf8, StartTls,
    };
    let plain_login = Mechanisms::NONE.with(SaslMechanism::Plain).with(SaslMechanism::Login);
    let login = (Some(plain_login), None);
    let expected: [Offer<'_>; 14] = [
        ("rep-136", &[EightBitMime, Size, Dsn, Help], (None, None)),
        ("rep-137", &[], (None, None)),
        (
            "rep-139",
            &[Size, EightBitMime, StartTls, EnhancedStatusCodes, Pipelining, Chunking, SmtpUtf8],
            (None, Some(35_882_577)),
        ),
        ("rep-141", &[Size, StartTls, Auth], (Some(plain_login), Some(1000))),
        ("rep-143", &[Size], (None, None)),
        ("rep-144", &[Size], (None, None)),
        ("rep-145", &[Size], (None, None)),
        ("rep-146", &[Auth], login),
        ("rep-147", &[Auth], login),
        ("rep-148", &[SmtpUtf8], (None, None)),
        ("rep-152", &[Pipelining, Limits, Size], (None, Some(52_428_800))),
        ("rep-154", &[Pipelining, EightBitMime], (None, None)),
        ("rep-155", &[Size, Dsn], (None, Some(1000))),
        ("rep-158", &[], (None, None)),
    ];
    let vectors: Vec<ReplyVector> = replies().collect();
    for (id, extensions, (mechanisms, size)) in expected {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let Ok(Parsed::Complete { value, .. }) = Reply::parse(&vector.input, &Policy::STRICT)
        else {
            panic!("{id}");
        };
        let offered = Capabilities::from_reply(&value);
        for &extension in Extension::ALL {
            assert_eq!(offered.contains(extension), extensions.contains(&extension), "{id}");
        }
        assert_eq!(offered.mechanisms(), mechanisms.unwrap_or_default(), "{id}");
        assert_eq!(offered.size(), size, "{id}");
        assert_eq!(offered.rcpt_max(), (id == "rep-152").then_some(1000), "{id}");
    }
}
