//! Replies: what is built is what is parsed, in any pieces, and nothing gets out of hand.

#![allow(clippy::unwrap_used)] // a test fails by a panic

use ehlo::syntax::SyntaxErrorKind;
use ehlo::syntax::code::{EnhancedCode, EnhancedStatus};
use ehlo::syntax::reply::{ReplyFrame, ReplyLimits};
use ehlo::{Code, Encode, Parsed, Policy, Reply};
use proptest::prelude::*;

fn encoded(reply: &Reply<'_>) -> Vec<u8> {
    let mut out = vec![0; reply.encoded_len()];
    let written = reply.encode(&mut out).unwrap();
    assert_eq!(written, out.len());
    out
}

fn parsed(bytes: &[u8]) -> Reply<'_> {
    match Reply::parse(bytes, &Policy::STRICT) {
        Ok(Parsed::Complete { value, consumed }) if consumed == bytes.len() => value,
        other => panic!("{other:?}: {}", bytes.escape_ascii()),
    }
}

fn wire(reply: &Reply<'_>) -> String {
    String::from_utf8(encoded(reply)).unwrap()
}

fn code() -> impl Strategy<Value = Code> {
    (200_u16..600).prop_map(|number| Code::new(number).unwrap())
}

fn enhanced_code() -> impl Strategy<Value = EnhancedCode> {
    (prop::sample::select(&[2_u8, 4, 5][..]), 0_u16..1000, 0_u16..1000)
        .prop_map(|(class, subject, detail)| EnhancedCode::new(class, subject, detail).unwrap())
}

/// Anything at all, and what is near to the edges: long words, line breaks, codes in the text.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,12}",
        "[ -~\t]{0,40}",
        "[\r\n\0\u{1b} ]{1,3}",
        "x{490,520}",
        "[245]\\.[0-9]{1,3}\\.[0-9]{1,4} ?",
        "250[- ]",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn parse_of_encode_is_the_same(
        code in code(),
        enhanced in prop::option::of(enhanced_code()),
        domain in prop::option::of("[a-z0-9.-]{1,60}"),
        text in text(),
    ) {
        let mut reply = Reply::new(code, &text);
        if let Some(enhanced) = enhanced {
            reply = reply.with_enhanced_code(enhanced);
        }
        if let Some(domain) = &domain {
            reply = reply.with_domain(domain);
        }
        let bytes = encoded(&reply);
        let back = parsed(&bytes);
        prop_assert_eq!(back, reply);
        prop_assert_eq!(reply, back);
        prop_assert_eq!(back.code(), code);
        prop_assert_eq!(back.enhanced_code(), reply.enhanced_code());
        // One form: what was parsed is written as it was.
        prop_assert_eq!(encoded(&back), bytes.clone());
        // Only whole lines of at most 512 bytes, each with the code, and no byte outside text.
        let strict = ReplyFrame::new().advance(&bytes, &ReplyLimits { lines: u16::MAX, ..ReplyLimits::STRICT }, &Policy::STRICT);
        prop_assert_eq!(strict, Ok(Some(bytes.len())));

        let mut out = vec![0; bytes.len()];
        let length = reply.encode_with(&mut out, false).unwrap();
        let without = parsed(&out[..length]);
        prop_assert_eq!(without.lines().count(), back.lines().count());
        prop_assert!(reply.encode(&mut vec![0; bytes.len() - 1]).is_err());
    }

    #[test]
    fn strict_prefixes_are_no_other_reply(code in code(), text in text(), more in "[ -~]{0,8}") {
        let bytes = encoded(&Reply::new(code, &text));
        for end in 0..bytes.len() {
            let prefix = Reply::parse(&bytes[..end], &Policy::STRICT);
            prop_assert_eq!(prefix, Ok(Parsed::Incomplete));
        }
        let length = bytes.len();
        let longer = [bytes, more.into_bytes()].concat();
        let Ok(Parsed::Complete { consumed, .. }) = Reply::parse(&longer, &Policy::STRICT) else {
            panic!();
        };
        prop_assert_eq!(consumed, length);
    }

    #[test]
    fn pieces_give_what_the_whole_gives(
        input in prop::collection::vec(prop_oneof![
            Just(b"250-".to_vec()), Just(b"250 ".to_vec()), Just(b"250".to_vec()),
            Just(b"\r\n".to_vec()), Just(b"550 ".to_vec()), Just(b"\r".to_vec()),
            prop::collection::vec(any::<u8>(), 0..12), Just(b"some more text".to_vec()),
        ], 0..10),
        cuts in prop::collection::vec(0_usize..60, 0..8),
        lenient in any::<bool>(),
        line in 4_u16..40,
        bytes in 4_u32..90,
        lines in 1_u16..5,
    ) {
        let input = input.concat();
        let limits = ReplyLimits { line, lines, bytes };
        let policy = if lenient { Policy::LENIENT } else { Policy::STRICT };
        let whole = ReplyFrame::new().advance(&input, &limits, &policy);
        let mut frame = ReplyFrame::new();
        let mut cuts: Vec<_> = cuts.into_iter().filter(|&cut| cut < input.len()).collect();
        cuts.sort_unstable();
        cuts.push(input.len());
        let mut last = Ok(None);
        for cut in cuts {
            last = frame.advance(&input[..cut], &limits, &policy);
            if last != Ok(None) {
                // Once said, it is said again.
                prop_assert_eq!(frame.advance(&input, &limits, &policy), last);
                break;
            }
        }
        prop_assert_eq!(last, whole);
        if let Ok(Some(length)) = whole {
            prop_assert!(length <= bytes as usize);
            let longest = input[..length].split_inclusive(|&byte| byte == b'\n').map(<[u8]>::len).max();
            prop_assert!(longest <= Some(usize::from(line)));
        }
    }

    #[test]
    fn any_bytes_parse_to_what_can_be_written(
        input in prop::collection::vec(any::<u8>(), 0..40),
        lenient in any::<bool>(),
    ) {
        let policy = if lenient { Policy::LENIENT } else { Policy::STRICT };
        let input = [b"550-", input.as_slice(), b"\r\n550 end\r\n"].concat();
        if let Ok(Parsed::Complete { value, .. }) = Reply::parse(&input, &policy) {
            let again = encoded(&value);
            let back = parsed(&again);
            prop_assert_eq!(encoded(&back), again.clone());
            if !lenient {
                prop_assert_eq!(back, value);
            }
            let shown = value.to_string();
            let is_harmful = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
            prop_assert!(!shown.contains(is_harmful));
        }
    }
}

#[test]
fn no_reply_without_a_code() {
    for bytes in [b"\0\0\0 ok\r\n", b"\0\0\0-ok\r\n", b"250\0ok\r\n"] {
        let error = Reply::parse(bytes, &Policy::LENIENT).unwrap_err();
        assert_eq!(error.kind, SyntaxErrorKind::ReplyCode, "{}", bytes.escape_ascii());
    }
}

#[test]
fn text_cannot_inject_a_line() {
    let reply = Reply::new(Code::MAILBOX_UNAVAILABLE, "no\r\n250 ok\nsuch\ruser\0\u{7f}\u{e9}");
    assert_eq!(wire(&reply), "550-no\r\n550-250 ok\r\n550-such\r\n550 user????\r\n");
    let reply = Reply::new(Code::SERVICE_READY, "").with_domain("mx\r\n250 x\ty");
    assert_eq!(wire(&reply), "220 mx??250?x?y\r\n");
}

#[test]
fn line_breaks_of_all_kinds() {
    for (text, lines) in [
        ("", vec![""]),
        ("a", vec!["a"]),
        ("a\n", vec!["a"]),
        ("a\r\nb\n", vec!["a", "b"]),
        ("a\n\nb", vec!["a", "", "b"]),
        ("\n", vec![""]),
        ("a\r\r\nb", vec!["a", "", "b"]),
    ] {
        let reply = Reply::new(Code::OK, text);
        let got: Vec<_> = reply.lines().map(|line| std::str::from_utf8(line).unwrap()).collect();
        assert_eq!(got, lines, "{text:?}");
        assert_eq!(parsed(&encoded(&reply)), reply, "{text:?}");
    }
}

#[test]
fn long_lines_break_at_a_space() {
    let word = "w".repeat(300);
    let text = format!("{word} {word} {word}");
    let reply = Reply::enhanced(Code::TRANSACTION_FAILED, EnhancedStatus::OTHER.permanent(), &text);
    let line = |separator, word| format!("554{separator}5.0.0 {word}\r\n");
    assert_eq!(wire(&reply), line('-', &word) + &line('-', &word) + &line(' ', &word));

    // Exactly as much as fits, and one byte more.
    let room = "x".repeat(506);
    assert_eq!(wire(&Reply::new(Code::OK, &room)), format!("250 {room}\r\n"));
    let over = format!("{room}y");
    assert_eq!(wire(&Reply::new(Code::OK, &over)), format!("250-{room}\r\n250 y\r\n"));
    let spaced = format!("{room} y");
    assert_eq!(wire(&Reply::new(Code::OK, &spaced)), format!("250-{room}\r\n250 y\r\n"));

    let greeting = Reply::new(Code::SERVICE_READY, &room).with_domain("mx.example");
    let first = "x".repeat(506 - 11);
    let rest = "x".repeat(11);
    assert_eq!(wire(&greeting), format!("220-mx.example {first}\r\n220 {rest}\r\n"));
}

#[test]
fn enhanced_codes_stand_where_they_may() {
    let denied = EnhancedStatus::NOT_AUTHORISED.permanent();
    assert_eq!(wire(&Reply::enhanced(Code::OK, denied, "ok")), "250 ok\r\n");
    assert_eq!(wire(&Reply::enhanced(Code::START_MAIL_INPUT, denied, "go")), "354 go\r\n");
    let reply = Reply::enhanced(Code::MAILBOX_UNAVAILABLE, denied, "a\nb");
    assert_eq!(wire(&reply), "550-5.7.1 a\r\n550 5.7.1 b\r\n");
    let closing = Reply::enhanced(Code::SERVICE_CLOSING, EnhancedStatus::OTHER.success(), "bye");
    assert_eq!(wire(&closing.with_domain("mx.example")), "221 2.0.0 mx.example bye\r\n");

    // A text that brings its own code is the same reply.
    assert_eq!(Reply::new(Code::MAILBOX_UNAVAILABLE, "5.7.1 a\n5.7.1 b"), reply);
    assert_eq!(Reply::new(Code::MAILBOX_UNAVAILABLE, "5.7.1 a\nb"), reply);
    let mut out = [0; 64];
    let length = reply.encode_with(&mut out, false).unwrap();
    assert_eq!(&out[..length], b"550-a\r\n550 b\r\n");

    // Of another class than the reply, it is text.
    let mismatch = parsed(b"250 5.7.1 class mismatch\r\n");
    assert_eq!(
        (mismatch.enhanced_code(), mismatch.text()),
        (None, b"5.7.1 class mismatch".as_slice())
    );
    // A second line with another code keeps it.
    let reply = parsed(b"550-5.1.1 a\r\n550-5.7.1 b\r\n550-5.1.1\r\n550 c\r\n");
    assert!(reply.lines().eq([b"a".as_slice(), b"5.7.1 b", b"", b"c"]));
}

#[test]
fn views_of_a_parsed_reply() {
    let reply = parsed(b"421 4.3.2 mx.example Service shutting down\r\n");
    assert_eq!(reply.code(), Code::SERVICE_NOT_AVAILABLE);
    assert_eq!(reply.text_str(), Some("mx.example Service shutting down"));
    assert_eq!(reply.domain(), Some("mx.example"));
    for bare in ["250\r\n", "250 \r\n", "250-\r\n250\r\n"] {
        let reply = parsed(bare.as_bytes());
        assert_eq!((reply.text(), reply.domain()), (b"".as_slice(), None));
    }
    let input = b"550 \x1b[31m\\ \xe9\r\n";
    let Ok(Parsed::Complete { value, .. }) = Reply::parse(input, &Policy::LENIENT) else {
        panic!()
    };
    assert_eq!(value.text_str(), None);
    assert_eq!(value.to_string(), "550 \\x1b[31m\\\\ \\xe9");
    assert_eq!(format!("{:?}", parsed(b"250-a\r\n250 2.0.0 b\r\n")), "Reply(250 a / 2.0.0 b)");
}

#[test]
fn equality_is_of_the_wire() {
    let differing = [
        Reply::new(Code::OK, "a"),
        Reply::new(Code::WILL_FORWARD, "a"),
        Reply::new(Code::OK, "b"),
        Reply::new(Code::OK, "a\na"),
        Reply::new(Code::OK, ""),
        Reply::new(Code::OK, "").with_domain("b"),
        Reply::new(Code::OK, "a").with_domain("b"),
        Reply::enhanced(Code::OK, EnhancedStatus::OTHER.success(), "a"),
    ];
    for (place, a) in differing.iter().enumerate() {
        for (other_place, b) in differing.iter().enumerate() {
            // A domain alone is a text like another.
            let same = place == other_place || matches!((place, other_place), (2, 5) | (5, 2));
            assert_eq!(a == b, same, "{a} {b}");
        }
    }
    assert_eq!(Reply::new(Code::OK, "b a"), Reply::new(Code::OK, "a").with_domain("b"));
}

#[test]
fn endless_replies_hit_a_limit() {
    let limits = ReplyLimits::default();
    let mut frame = ReplyFrame::new();
    let mut input = Vec::new();
    let error = loop {
        input.extend_from_slice(b"250-X\r\n");
        match frame.advance(&input, &limits, &Policy::LENIENT) {
            Ok(None) => {}
            Ok(Some(_)) => panic!(),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, SyntaxErrorKind::ReplyTooLong);
    assert_eq!(input.len(), 7 * 1000);

    let mut frame = ReplyFrame::new();
    let mut input = b"250 ".to_vec();
    let error = loop {
        input.push(b'x');
        match frame.advance(&input, &limits, &Policy::LENIENT) {
            Ok(None) => {}
            Ok(Some(_)) => panic!(),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, SyntaxErrorKind::LineTooLong);
    // A CRLF has no room behind so much, and a buffer of the limit's size is enough to see it.
    assert_eq!(input.len(), 4096 - 1);

    let line = [b"250-".as_slice(), &[b'x'; 4000], b"\r\n"].concat();
    let error = ReplyFrame::new().advance(&line.repeat(20), &limits, &Policy::STRICT).unwrap_err();
    assert_eq!(error.kind, SyntaxErrorKind::ReplyTooLong);
    assert!(error.offset < 64 * 1024);
}

#[test]
fn limits_are_inclusive() {
    let limits = ReplyLimits::STRICT;
    let text = "x".repeat(506);
    let line = format!("250 {text}\r\n");
    let frame = |input: &str| ReplyFrame::new().advance(input.as_bytes(), &limits, &Policy::STRICT);
    assert_eq!(frame(&line), Ok(Some(512)));
    let error = frame(&format!("250 {text}x\r\n")).unwrap_err();
    assert_eq!((error.kind, error.offset), (SyntaxErrorKind::LineTooLong, 511));
    let error = frame(&format!("250-\r\n250 {text}x\r\n")).unwrap_err();
    assert_eq!((error.kind, error.offset), (SyntaxErrorKind::LineTooLong, 6 + 511));

    let many = "250-\r\n".repeat(999) + "250 \r\n";
    assert_eq!(frame(&many), Ok(Some(6000)));
    let error = frame(&("250-\r\n".repeat(1000) + "250 \r\n")).unwrap_err();
    assert_eq!(error.kind, SyntaxErrorKind::ReplyTooLong);
    let bytes = ReplyLimits { bytes: 12, ..ReplyLimits::STRICT };
    let frame = |input: &[u8]| ReplyFrame::new().advance(input, &bytes, &Policy::STRICT);
    assert_eq!(frame(b"250-\r\n250 \r\n"), Ok(Some(12)));
    assert_eq!(frame(b"250-\r\n250 x\r\n").unwrap_err().kind, SyntaxErrorKind::ReplyTooLong);
}

/// Who has room for what the limits allow and no more is told, and does not wait for more.
#[test]
fn what_cannot_fit_is_not_awaited() {
    for bytes in 5..=40 {
        let limits = ReplyLimits { bytes, ..ReplyLimits::STRICT };
        for text in 0..=36 {
            let reply = format!("250-{}\r\n", "x".repeat(text)).repeat(40);
            let room = &reply.as_bytes()[..bytes as usize];
            let error = ReplyFrame::new().advance(room, &limits, &Policy::STRICT).unwrap_err();
            assert_eq!(error.kind, SyntaxErrorKind::ReplyTooLong, "{bytes}, {text}");
        }
    }
}

#[test]
fn every_byte_of_a_text() {
    for byte in 0..=u8::MAX {
        // Once within eight bytes that are looked at together, and once behind them.
        for text in [[b'x'; 20], [b' '; 20]] {
            for place in [0, 3, 7, 8, 17, 19] {
                let mut text = text;
                text[place] = byte;
                let input = [b"250 ", text.as_slice(), b"\r\n"].concat();
                let strict = Reply::parse(&input, &Policy::STRICT);
                assert_eq!(strict.is_ok(), byte == 9 || (32..=126).contains(&byte), "{byte}");
                let lenient = Reply::parse(&input, &Policy::LENIENT);
                assert_eq!(lenient.is_ok(), !matches!(byte, 0 | b'\r' | b'\n'), "{byte}");
                if let Err(error) = strict {
                    assert_eq!(error.offset, 4 + place, "{byte}");
                }
            }
        }
    }
}

/// What a server says in another language can be read, and nothing in it acts on a terminal or turns
/// the direction of the text around it.
#[test]
fn display_shows_unicode_and_escapes_what_is_not_seen() {
    let policy = Policy::STRICT.with_any_reply_text(true);
    for (text, shown) in [
        ("não é possível", "não é possível"),
        ("aceita ✓ 受け付けました", "aceita ✓ 受け付けました"),
        ("चिट्ठी, e\u{301}, 📧", "चिट्ठी, e\u{301}, 📧"),
        ("a\\b \"c\" 'd'", "a\\\\b \"c\" 'd'"),
        ("a\tb\u{1b}[31mc\u{7}\u{7f}", "a\\x09b\\x1b[31mc\\x07\\x7f"),
        ("a\u{85}\u{9b}b\u{2028}\u{2029}c", "a\\u{85}\\u{9b}b\\u{2028}\\u{2029}c"),
        ("a\u{202e}b\u{2066}c\u{200f}d", "a\\u{202e}b\\u{2066}c\\u{200f}d"),
        ("a\u{feff}b\u{200b}c\u{e0041}", "a\\u{feff}b\\u{200b}c\\u{e0041}"),
    ] {
        let bytes = format!("250-{text}\r\n250 {text}\r\n");
        let Ok(Parsed::Complete { value, .. }) = Reply::parse(bytes.as_bytes(), &policy) else {
            panic!("{text:?}");
        };
        assert_eq!(value.to_string(), format!("250 {shown} / {shown}"));
        assert_eq!(format!("{value:?}"), format!("Reply(250 {shown} / {shown})"));
    }
    // Latin-1 is no UTF-8.
    let Ok(Parsed::Complete { value, .. }) = Reply::parse(b"250 n\xE3o \xC3\xA3\r\n", &policy)
    else {
        panic!();
    };
    assert_eq!(value.to_string(), "250 n\\xe3o ã");
}
