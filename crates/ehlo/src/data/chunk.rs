//! The octets of one BDAT chunk, RFC 3030 §2.

use crate::data::{Content, Decoded};

/// Counts the octets of one BDAT chunk.
///
/// They are handed out as they are: a dot, a CR or an LF means nothing here, and a line may begin in
/// one chunk and end in another.
///
/// ```
/// use ehlo::data::{ChunkDecoder, Content};
///
/// let mut chunk = ChunkDecoder::new(3);
/// let decoded = chunk.take(b".\r\nRSET\r\n");
/// assert_eq!((decoded.consumed, decoded.content), (3, Content::Data(b".\r\n")));
/// assert_eq!(chunk.take(b"RSET\r\n").content, Content::End(Ok(())));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkDecoder {
    remaining: u64,
}

impl ChunkDecoder {
    /// A chunk of `size` octets, directly after the CRLF of its BDAT command.
    pub const fn new(size: u64) -> Self {
        Self { remaining: size }
    }

    /// Octets that are still to come.
    pub const fn remaining(&self) -> u64 {
        self.remaining
    }

    /// Takes the front of `input`, which follows what was consumed so far.
    ///
    /// The end, always `Ok`, comes in a call of its own and consumes nothing; a chunk of no octets
    /// ends at once.
    pub fn take<'i>(&mut self, input: &'i [u8]) -> Decoded<'i> {
        if self.remaining == 0 {
            return Decoded { consumed: 0, content: Content::End(Ok(())) };
        }
        let size = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        let data = input.get(..size).unwrap_or(input);
        self.remaining = self.remaining.saturating_sub(data.len() as u64);
        let content = if data.is_empty() { Content::NeedInput } else { Content::Data(data) };
        Decoded { consumed: data.len(), content }
    }
}
