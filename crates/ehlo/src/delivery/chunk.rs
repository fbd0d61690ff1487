//! The state of an open chunk of mail data.

/// The state of an open chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) last: bool,
    /// The newline policy changes its bytes.
    pub(super) is_changed: bool,
    /// The length of the end that the last line still lacks: 2 for CRLF, 1 for LF, otherwise 0.
    pub(super) end: usize,
}

impl Chunk {
    pub(super) const NONE: Self = Self { last: false, is_changed: false, end: 0 };
}
