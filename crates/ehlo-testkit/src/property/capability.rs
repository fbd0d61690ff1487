//! The lines of an EHLO reply.

use ehlo::syntax::capability::{Capabilities, Limits};
use ehlo::{Capability, Extension, Parsed, Policy, Reply};

use super::{hash, wire};

/// The lines of an EHLO reply: each is a capability, whatever its bytes, and is written as a line
/// that parses to the same capability. The summary is that of the lines, and equals the one parsed
/// from its own lines.
pub fn capability(input: &[u8]) {
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let mut reply = b"250-mx.example greets you\r\n".to_vec();
    let mut naive = Capabilities::NONE;
    for line in &lines {
        let capability = Capability::parse(line);
        let text = comes_back(&capability, line);
        spaced(&capability, &text);
        naive.insert(&Capability::parse(&text));
        assert!(capability.extension().is_none_or(|extension| naive.contains(extension)));
        reply.extend([b"250-", text.as_slice(), b"\r\n"].concat());
    }
    reply.extend(b"250 X-LAST\r\n");
    let Ok(Parsed::Complete { value, consumed }) = Reply::parse(&reply, &Policy::STRICT) else {
        // Only its length can be wrong.
        assert!(
            reply.len() > 64 * 1024 || lines.len() >= 998 || lines.iter().any(|l| l.len() > 4000)
        );
        return;
    };
    assert_eq!(consumed, reply.len());
    let offered = Capabilities::from_reply(&value);
    assert_eq!(offered, naive);

    let mut again = Capabilities::NONE;
    for capability in offered {
        again.insert(&Capability::parse(&wire(&capability)));
    }
    // Limits without a name here are not in the summary.
    let nameless = offered.limits() == Limits::NONE;
    assert_eq!(again, if nameless { offered.without(Extension::Limits) } else { offered });
    for extension in Extension::ALL {
        let without = offered.without(*extension);
        assert!(!without.contains(*extension) && without.iter().count() <= offered.iter().count());
    }
}

/// Asserts that bytes between and around words do not change the offer.
fn spaced(capability: &Capability<'_>, text: &[u8]) {
    let Some(extension) = capability.extension() else { return };
    for blank in [&b"\t"[..], b"  ", b"\xA0", b"\x7F \x01"] {
        let words: Vec<&[u8]> = text.split(|byte| *byte == b' ').collect();
        let line = [blank, &words.join(blank), blank].concat();
        let lower = line.to_ascii_lowercase();
        let again = Capability::parse(&lower);
        assert!(again != *capability || hash(&again) == hash(capability), "{capability:?}");
        let again = Capability::parse(&line);
        assert_eq!(again.extension(), Some(extension), "{}", line.escape_ascii());
        assert_eq!(&again, capability, "{}", line.escape_ascii());
    }
}

fn comes_back(capability: &Capability<'_>, line: &[u8]) -> Vec<u8> {
    let text = wire(capability);
    assert!(text.iter().all(|byte| matches!(byte, b'\t' | 32..=126)), "{}", text.escape_ascii());
    let again = Capability::parse(&text);
    if let Capability::Malformed(kept) = capability {
        assert_eq!(*kept, line);
        // What no text has is written as question marks.
        if line.iter().all(|byte| matches!(byte, b'\t' | 32..=126)) {
            assert_eq!(&again, capability);
        }
    } else {
        assert_eq!(&again, capability);
        assert_eq!(wire(&again), text);
    }
    text
}
