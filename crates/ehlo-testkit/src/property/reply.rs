//! A reply.

use ehlo::syntax::code::EnhancedCode;
use ehlo::syntax::limits;
use ehlo::syntax::reply::{ReplyFrame, ReplyLimits};
use ehlo::{Code, Parsed, Policy, Reply, SyntaxError};

use super::{choices, pieces, wire};

/// A reply of a server has the same frame in any pieces and for a naive reader, and is written as
/// its parts. A built reply with any text is one reply on the wire.
pub fn reply(input: &[u8]) {
    let ([flags, cuts @ ..], bytes) = choices::<4>(input);
    let policy = Policy::STRICT.with_any_reply_text(flags & 1 != 0);
    let limits = match flags >> 1 & 3 {
        0 => ReplyLimits::DEFAULT,
        1 => ReplyLimits::STRICT,
        2 => ReplyLimits { line: 40, lines: 4, bytes: 100 },
        _ => ReplyLimits { line: u16::MAX, lines: u16::MAX, bytes: u32::MAX },
    };
    let whole = ReplyFrame::new().advance(bytes, &limits, &policy);
    assert_eq!(
        grown(pieces(bytes, cuts).iter().map(|piece| piece.len()), bytes, &limits, &policy),
        whole
    );
    if bytes.len() <= 600 {
        assert_eq!(grown(bytes.iter().map(|_| 1), bytes, &limits, &policy), whole);
    }
    let naive = naive(bytes, &policy, &limits);
    assert_eq!(whole.ok().flatten(), naive);
    if let Err(error) = whole {
        assert!(error.offset <= bytes.len());
    }
    if let Ok(Parsed::Complete { value, consumed }) = Reply::parse(bytes, &policy) {
        assert_eq!(value.as_bytes(), Some(&bytes[..consumed]));
        comes_back(&value, &policy);
    }
    if let Ok(text) = core::str::from_utf8(bytes) {
        own(text, flags);
    }
}

/// The results of a frame that gets more and more of `bytes`.
fn grown(
    lengths: impl Iterator<Item = usize>,
    bytes: &[u8],
    limits: &ReplyLimits,
    policy: &Policy,
) -> Result<Option<usize>, SyntaxError> {
    let mut frame = ReplyFrame::new();
    let mut end = 0;
    let mut verdict = Ok(None);
    for length in lengths {
        end += length;
        let next = frame.advance(&bytes[..end], limits, policy);
        assert!(verdict == Ok(None) || next == verdict, "{next:?} after {verdict:?}");
        assert!(next.is_err() || next.is_ok_and(|length| length <= Some(end)));
        verdict = next;
    }
    verdict
}

/// The length of the reply at the front, found line by line.
fn naive(bytes: &[u8], policy: &Policy, limits: &ReplyLimits) -> Option<usize> {
    let mut length = 0;
    let mut code = None;
    for (count, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        length += line.len();
        let within = line.len() <= usize::from(limits.line)
            && count < usize::from(limits.lines)
            && length as u64 <= u64::from(limits.bytes);
        let text = line.strip_suffix(b"\r\n").filter(|_| within)?;
        let (digits, text) = text.split_at_checked(3)?;
        if !matches!(digits, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9']) {
            return None;
        }
        if *code.get_or_insert(digits) != digits {
            return None;
        }
        let is_text = |byte: &u8| match byte {
            b'\t' | 32..=126 => true,
            b'\r' | b'\n' | 0 => false,
            _ => policy.any_reply_text,
        };
        match text.split_first() {
            None => return Some(length),
            Some((b' ', text)) if text.iter().all(is_text) => return Some(length),
            Some((b'-', text)) if text.iter().all(is_text) => {}
            _ => return None,
        }
    }
    None
}

fn comes_back(reply: &Reply<'_>, policy: &Policy) {
    let canonical = wire(reply);
    assert!(canonical.iter().all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | 32..=126)));
    let again = one_reply(
        &canonical,
        &ReplyLimits { line: u16::MAX, bytes: u32::MAX, ..ReplyLimits::DEFAULT },
    );
    assert_eq!(again.code(), reply.code());
    assert_eq!(again.lines().count(), reply.lines().count());
    if !policy.any_reply_text {
        assert_eq!(&again, reply);
        assert_eq!(again.enhanced_code(), reply.enhanced_code());
    }
    assert_eq!(wire(&again), canonical);
    let shown = format!("{reply} {reply:?}");
    let is_harmful = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
    assert!(!shown.contains(is_harmful), "{shown:?}");
}

/// A reply of one's own, whatever its text.
fn own(text: &str, flags: u8) {
    let (domain, text) = match text.split_once('|') {
        Some((domain, text)) if flags & 8 != 0 => (Some(domain), text),
        _ => (None, text),
    };
    let code = [Code::OK, Code::SERVICE_READY, Code::MAILBOX_BUSY, Code::TRANSACTION_FAILED]
        [usize::from(flags >> 4 & 3)];
    let mut reply = Reply::new(code, text);
    // A domain that looks like an enhanced status code would be read as one.
    let is_name = |domain: &&str| !domain.starts_with(['2', '4', '5']);
    let is_short = |domain: &&str| domain.len() < limits::REPLY_LINE / 2;
    if let Some(domain) = domain.filter(is_name).filter(is_short) {
        reply = reply.with_domain(domain);
    }
    if let Some(enhanced) = EnhancedCode::new(flags >> 4 & 7, 7, 606).filter(|_| flags & 128 != 0) {
        reply = reply.with_enhanced_code(enhanced);
    }
    let bytes = wire(&reply);
    if reply.lines().count() > usize::from(ReplyLimits::DEFAULT.lines) {
        return;
    }
    let again = one_reply(&bytes, &ReplyLimits { lines: u16::MAX, ..ReplyLimits::STRICT });
    assert_eq!(again.code(), code);
    assert_eq!(again, reply);
    assert_eq!(reply, again);
    assert_eq!(again.enhanced_code(), reply.enhanced_code());
    assert_eq!(wire(&again), bytes);
    let mut out = vec![0; bytes.len()];
    let written = reply.encode_with(&mut out, false).expect("less than with the code");
    one_reply(&out[..written], &ReplyLimits { lines: u16::MAX, ..ReplyLimits::STRICT });
}

/// The one reply that `bytes` are, by the strict grammar.
fn one_reply<'o>(bytes: &'o [u8], limits: &ReplyLimits) -> Reply<'o> {
    let length = ReplyFrame::new().advance(bytes, limits, &Policy::STRICT);
    assert_eq!(length, Ok(Some(bytes.len())), "{}", bytes.escape_ascii());
    match Reply::parse(bytes, &Policy::STRICT) {
        Ok(Parsed::Complete { value, .. }) => value,
        other => panic!("{} is {other:?}", bytes.escape_ascii()),
    }
}
