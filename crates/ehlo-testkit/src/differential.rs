//! The verdicts of [`ehlo`] in a form that can be compared with those of another parser.
//!
//! A differential fuzz target compares both on any input:
//!
//! ```
//! use ehlo::Policy;
//! use ehlo_testkit::differential::{Verdict, command};
//!
//! /// Stands for the parser that is tested; it knows one command.
//! fn other(input: &[u8]) -> Verdict {
//!     match input.iter().position(|byte| *byte == b'\n') {
//!         None => Verdict::Incomplete,
//!         Some(end) if input[..=end].eq_ignore_ascii_case(b"QUIT\r\n") => Verdict::Complete(end + 1),
//!         Some(_) => Verdict::Refused,
//!     }
//! }
//!
//! for input in [&b"quit\r\nNOOP\r\n"[..], b"QUIT now\r\n", b"QUIT\r"] {
//!     assert_eq!(other(input), command(input, &Policy::STRICT), "{}", input.escape_ascii());
//! }
//! ```
//!
//! Programs differ where the RFCs leave something open; [`Policy::LENIENT`] accepts more, and
//! [`vectors`](crate::vectors) names the servers that differ.

use ehlo::data::{Content, DataDecoder, Newlines};
use ehlo::{Command, ForwardPath, Parsed, Policy, Reply, ReversePath};

/// The verdict of a parser on the front of an input.
///
/// ```
/// use ehlo::Policy;
/// use ehlo_testkit::differential::{Verdict, reply};
///
/// assert_eq!(reply(b"250 OK\r\n250", &Policy::STRICT), Verdict::Complete(8));
/// assert_eq!(reply(b"250-OK\r\n250", &Policy::STRICT), Verdict::Incomplete);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The parser takes this many bytes.
    Complete(usize),
    /// The parser needs more bytes.
    Incomplete,
    /// The parser takes nothing, whatever bytes follow.
    Refused,
}

/// The verdict on a command line; an unknown verb is refused.
///
/// ```
/// use ehlo::Policy;
/// use ehlo_testkit::differential::{Verdict, command};
///
/// assert_eq!(command(b"MAIL FROM:<>\r\n", &Policy::STRICT), Verdict::Complete(14));
/// assert_eq!(command(b"MAIL FROM:<\r\n", &Policy::STRICT), Verdict::Refused);
/// ```
pub fn command(input: &[u8], policy: &Policy) -> Verdict {
    match Command::parse(input, policy) {
        Ok(Parsed::Complete { value: Command::Other { .. }, .. }) | Err(_) => Verdict::Refused,
        Ok(Parsed::Complete { consumed, .. }) => Verdict::Complete(consumed),
        Ok(Parsed::Incomplete) => Verdict::Incomplete,
    }
}

/// The verdict on a reply.
///
/// ```
/// use ehlo::Policy;
/// use ehlo_testkit::differential::{Verdict, reply};
///
/// assert_eq!(reply(b"2500 OK\r\n", &Policy::STRICT), Verdict::Refused);
/// ```
pub fn reply(input: &[u8], policy: &Policy) -> Verdict {
    match Reply::parse(input, policy) {
        Ok(Parsed::Complete { consumed, .. }) => Verdict::Complete(consumed),
        Ok(Parsed::Incomplete) => Verdict::Incomplete,
        Err(_) => Verdict::Refused,
    }
}

/// The verdict on a whole `Reverse-path`, RFC 5321 §4.1.2.
///
/// ```
/// use ehlo::Policy;
/// use ehlo_testkit::differential::{Verdict, reverse_path};
///
/// assert_eq!(reverse_path(b"<>", &Policy::STRICT), Verdict::Complete(2));
/// ```
pub fn reverse_path(input: &[u8], policy: &Policy) -> Verdict {
    whole(input, ReversePath::parse(input, policy).is_ok())
}

/// The verdict on a whole `Forward-path`, RFC 5321 §4.1.2, or `<Postmaster>`.
///
/// ```
/// use ehlo::Policy;
/// use ehlo_testkit::differential::{Verdict, forward_path};
///
/// assert_eq!(forward_path(b"<>", &Policy::STRICT), Verdict::Refused);
/// ```
pub fn forward_path(input: &[u8], policy: &Policy) -> Verdict {
    whole(input, ForwardPath::parse(input, policy).is_ok())
}

/// The verdict on the bytes behind a 354, and the content in them; the content of refused bytes is
/// empty.
///
/// ```
/// use ehlo::data::Newlines;
/// use ehlo_testkit::differential::{Verdict, mail_data};
///
/// let (verdict, content) = mail_data(b"..a\r\n.\r\nQUIT\r\n", Newlines::Reject);
/// assert_eq!((verdict, &*content), (Verdict::Complete(8), b".a\r\n".as_slice()));
/// ```
pub fn mail_data(input: &[u8], newlines: Newlines) -> (Verdict, Vec<u8>) {
    let mut decoder = DataDecoder::new(newlines);
    let (mut at, mut content) = (0, Vec::new());
    loop {
        let step = decoder.decode(&input[at..]);
        at += step.consumed;
        match step.content {
            Content::Data(data) => content.extend_from_slice(data),
            Content::NeedInput => return (Verdict::Incomplete, content),
            Content::End(Ok(())) => return (Verdict::Complete(at), content),
            Content::End(Err(_)) => return (Verdict::Refused, Vec::new()),
        }
    }
}

const fn whole(input: &[u8], is_valid: bool) -> Verdict {
    if is_valid { Verdict::Complete(input.len()) } else { Verdict::Refused }
}
