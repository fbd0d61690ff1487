//! The bytes of BDAT chunks, RFC 3030 §2.

use crate::data::{Content, DataDecoder, Decoded, Newlines};

/// Reads the content of a message that arrives in chunks.
///
/// The policy for content is that of DATA, across the borders of chunks: a line may begin in one
/// chunk and end in another, and a CR at the end of a chunk and an LF at the start of the next one
/// are one CRLF. A dot has no meaning here. RFC 3030 §3: only content with BODY=BINARYMIME may be
/// without lines; use [`Newlines::Keep`] and no line limit for it.
///
/// ```
/// use ehlo::data::{ChunkDecoder, Content, NewlineErrorKind, Newlines};
///
/// let mut chunks = ChunkDecoder::new(Newlines::Reject);
/// chunks.begin(3, false);
/// let decoded = chunks.take(b"\r\n.BDAT 2 LAST\r\n");
/// assert_eq!((decoded.consumed, decoded.content), (3, Content::Data(b"\r\n.")));
/// assert_eq!(chunks.take(b"BDAT 2 LAST\r\n").content, Content::End(Ok(())));
///
/// chunks.begin(2, true);
/// assert_eq!(chunks.take(b"\n\n").content, Content::NeedInput);
/// let Content::End(Err(error)) = chunks.take(b"").content else { panic!("it is the end") };
/// assert_eq!((error.kind, error.offset), (NewlineErrorKind::BareLf, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkDecoder {
    content: DataDecoder,
    remaining: u64,
    last: bool,
}

impl ChunkDecoder {
    /// A decoder at the start of a message, before its first chunk.
    pub const fn new(newlines: Newlines) -> Self {
        Self { content: DataDecoder::new(newlines), remaining: 0, last: false }
    }

    /// The same decoder with a limit on the bytes of a line, its CRLF included, as
    /// [`DataDecoder::with_line_limit`].
    #[must_use]
    pub const fn with_line_limit(mut self, bytes: Option<u16>) -> Self {
        self.content = self.content.with_line_limit(bytes);
        self
    }

    /// Begins a chunk of `size` bytes, directly after the CRLF of its BDAT command.
    pub const fn begin(&mut self, size: u64, last: bool) {
        (self.remaining, self.last) = (size, last);
    }

    /// The number of bytes of the chunk that are still to come.
    pub const fn remaining(&self) -> u64 {
        self.remaining
    }

    /// Takes the front of `input`, the bytes after those consumed so far.
    ///
    /// The end of the chunk comes in a call that consumes nothing; an empty chunk ends at once. If
    /// the content has an error, the decoder skips the rest of the chunk, and the end reports the
    /// error. The message is then lost, and RFC 3030 §2 requires RSET from the client. After the
    /// end of the last chunk the decoder is at the start of the next message.
    pub fn take<'i>(&mut self, input: &'i [u8]) -> Decoded<'i> {
        if self.remaining == 0 {
            let content = match self.content.error() {
                _ if self.last => self.content.end_of_content(),
                Some(error) => Content::End(Err(error)),
                None => Content::End(Ok(())),
            };
            return Decoded { consumed: 0, content };
        }
        let size = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        let chunk = input.get(..size).unwrap_or(input);
        if chunk.is_empty() {
            return Decoded { consumed: 0, content: Content::NeedInput };
        }
        let decoded = self.content.content(chunk);
        self.remaining = self.remaining.saturating_sub(decoded.consumed as u64);
        decoded
    }
}
