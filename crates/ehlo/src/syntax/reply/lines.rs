//! The lines of a reply's text, as received or as they will be sent.

use crate::syntax::code::EnhancedCode;
use crate::syntax::grammar::words::find_lf;
use crate::syntax::limits;

/// The lines of a reply's text, from [`Reply::lines`](crate::Reply::lines).
///
/// Each line comes without its code, separator, enhanced status code and CRLF.
///
/// ```
/// use ehlo::{Code, Reply};
///
/// let reply = Reply::new(Code::HELP_MESSAGE, "See\nhttps://mx.example/help");
/// assert!(reply.lines().eq([b"See".as_slice(), b"https://mx.example/help"]));
/// ```
#[derive(Clone, Debug)]
pub struct Lines<'a>(Source<'a>);

#[derive(Clone, Debug)]
enum Source<'a> {
    /// Whole reply lines with their CRLF.
    Wire { rest: &'a [u8], strip: Option<EnhancedCode> },
    /// A text whose lines end with LF, CRLF or CR, and may be too long.
    Given {
        rest: Option<&'a [u8]>,
        strip: Option<EnhancedCode>,
        /// The bytes available in the first line, behind the name of the host.
        first: usize,
        /// The bytes available in each other line.
        width: usize,
        /// Whether `rest` is the remainder of a line that was too long.
        split: bool,
    },
}

impl<'a> Lines<'a> {
    /// The lines of a whole reply, without the code `strip` in front.
    pub(super) const fn wire(bytes: &'a [u8], strip: Option<EnhancedCode>) -> Self {
        Self(Source::Wire { rest: bytes, strip })
    }

    /// The lines that encoding makes of `text`, without this code in front; `prefix` bytes stand
    /// before the text of every line, and `host` more before that of the first.
    pub(super) fn given(
        text: &'a [u8],
        strip: Option<EnhancedCode>,
        prefix: usize,
        host: usize,
    ) -> Self {
        // RFC 5321 §4.5.3.1.5: 512 bytes with the code, the separator and the CRLF.
        let width = limits::REPLY_LINE.saturating_sub(6).saturating_sub(prefix).max(1);
        let first = width.saturating_sub(host).max(1);
        Self(Source::Given { rest: Some(text), strip, first, width, split: false })
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        match &mut self.0 {
            Source::Wire { rest, strip } => {
                let text;
                (text, *rest) = wire_line(rest)?;
                Some(stripped(text, *strip))
            }
            Source::Given { rest, strip, first, width, split } => {
                let mut text = (*rest)?;
                if !*split {
                    text = stripped(text, *strip);
                }
                let room = core::mem::replace(first, *width);
                let line;
                (line, *rest, *split) = given_line(text, room);
                Some(line)
            }
        }
    }
}

impl core::iter::FusedIterator for Lines<'_> {}

/// The text of the first line of a reply, and the lines after it.
#[inline]
pub(crate) fn wire_line(reply: &[u8]) -> Option<(&[u8], &[u8])> {
    // No text holds an LF, so the first one ends the line.
    let end = find_lf(reply)?;
    let (line, rest) = reply.split_at_checked(end.saturating_add(1))?;
    // `250` alone is one byte shorter than `250 `.
    Some((line.get(4..line.len().saturating_sub(2)).unwrap_or_default(), rest))
}

/// A line of at most `room` bytes, the text after it, and whether that text continues the same
/// line.
fn given_line(text: &[u8], room: usize) -> (&[u8], Option<&[u8]>, bool) {
    let window = text.get(..room.saturating_add(1)).unwrap_or(text);
    if let Some(end) = memchr::memchr2(b'\r', b'\n', window) {
        let (line, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
        let rest = match rest {
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] | rest => rest,
        };
        return (line, Some(rest).filter(|rest| !rest.is_empty()), false);
    }
    if text.len() <= room {
        return (text, None, false);
    }
    // At the last space that leaves something on both sides, or else within the word.
    match memchr::memrchr(b' ', window).filter(|&space| space > 0) {
        Some(space) => {
            let rest = text.get(space.saturating_add(1)..).unwrap_or_default();
            (text.get(..space).unwrap_or_default(), Some(rest), true)
        }
        None => (text.get(..room).unwrap_or_default(), text.get(room..), true),
    }
}

/// `text` without `code` in front.
fn stripped(text: &[u8], code: Option<EnhancedCode>) -> &[u8] {
    let Some(code) = code else { return text };
    match EnhancedCode::leading(text) {
        Some((leading, rest)) if code == leading => rest,
        _ => text,
    }
}
