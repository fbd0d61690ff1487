//! A chunk of mail data that was begun.

/// What is known of the chunk that was begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) last: bool,
    /// The newline policy changes its bytes.
    pub(super) is_changed: bool,
    /// Bytes that end the last line of the content: 2 for CRLF, 1 for LF, 0 for none.
    pub(super) end: usize,
}

impl Chunk {
    pub(super) const NONE: Self = Self { last: false, is_changed: false, end: 0 };
}
