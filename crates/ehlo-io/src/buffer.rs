//! Buffers whose memory is overwritten if it may have held a credential.

use alloc::vec;
use alloc::vec::Vec;

use ehlo::syntax::BufferTooSmall;

/// A queue of bytes: taken from the front, added at the end.
///
/// The memory stays initialised, so making room does not write to it again. When the bytes move or
/// the memory is freed, the old bytes are overwritten.
#[derive(Default)]
pub(crate) struct Buffer {
    memory: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    pub(crate) const fn new() -> Self {
        Self { memory: Vec::new(), start: 0, end: 0 }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.memory.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) const fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The number of bytes of memory that it holds.
    pub(crate) fn capacity(&self) -> usize {
        self.memory.capacity()
    }

    /// The room at the end: at least `least` bytes. If there is less, the bytes move to the front,
    /// or to new memory that has `size` bytes of room.
    pub(crate) fn room(&mut self, least: usize, size: usize) -> &mut [u8] {
        if self.memory.len() - self.end < least {
            let len = self.len();
            if self.memory.len() - len >= least.max(len) {
                self.memory.copy_within(self.start..self.end, 0);
                let moved = self.memory.get_mut(len.max(self.start)..self.end);
                overwrite(moved.unwrap_or_default());
                (self.start, self.end) = (0, len);
            } else {
                self.replace(len + size.max(least));
            }
        }
        self.memory.get_mut(self.end..).unwrap_or_default()
    }

    /// Adds the first `bytes` of the room to the queue.
    pub(crate) fn fill(&mut self, bytes: usize) {
        self.end = self.memory.len().min(self.end + bytes);
    }

    /// Drops `bytes` from the front, and overwrites them if they may be a `secret`.
    pub(crate) fn consume(&mut self, bytes: usize, secret: bool) {
        let start = self.end.min(self.start + bytes);
        if secret {
            overwrite(self.memory.get_mut(self.start..start).unwrap_or_default());
        }
        self.start = start;
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Frees memory: all of it if the buffer is empty, and most of it if the buffer holds little.
    pub(crate) fn release(&mut self) {
        if self.is_empty() {
            self.memory = Vec::new();
        } else if self.memory.len() > SMALL && self.len() <= self.memory.len() / 4 {
            self.replace(self.len().next_multiple_of(SMALL / 4));
        }
    }

    /// Moves the bytes to memory of `size` bytes, and overwrites the old memory.
    fn replace(&mut self, size: usize) {
        let mut memory = vec![0; size];
        let len = self.len();
        if let (Some(to), Some(from)) =
            (memory.get_mut(..len), self.memory.get_mut(self.start..self.end))
        {
            to.copy_from_slice(from);
            overwrite(from);
        }
        (self.memory, self.start, self.end) = (memory, 0, len);
    }

    /// Returns the bytes, in memory of their length.
    pub(crate) fn into_vec(mut self) -> Vec<u8> {
        let bytes = self.bytes().to_vec();
        self.consume(self.len(), true);
        bytes
    }

    /// Lets `write` fill the end, with more room if it `needs` more.
    pub(crate) fn append<E>(
        &mut self,
        mut write: impl FnMut(&mut [u8]) -> Result<usize, E>,
        needs: impl Fn(&E) -> Option<BufferTooSmall>,
    ) -> Result<usize, E> {
        let mut least = LINE_ROOM;
        loop {
            let growth = 2 * least.max(self.memory.len());
            match write(self.room(least, growth)) {
                Ok(written) => {
                    self.fill(written);
                    return Ok(written);
                }
                Err(error) => {
                    // `write` may have left a part of a secret there.
                    overwrite(self.room(0, 0));
                    match needs(&error) {
                        Some(BufferTooSmall { needed }) if needed > least => least = needed,
                        _ => return Err(error),
                    }
                }
            }
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        overwrite(self.memory.get_mut(self.start..self.end).unwrap_or_default());
    }
}

/// Overwrites bytes that are not read again, in a way that the compiler must not remove.
pub(crate) fn overwrite(bytes: &mut [u8]) {
    if !bytes.is_empty() {
        bytes.fill(0);
        core::hint::black_box(bytes);
    }
}

/// Room for most lines.
pub(crate) const LINE_ROOM: usize = 512;
/// The size of memory below which freeing a part does not pay.
const SMALL: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn put(buffer: &mut Buffer, bytes: &[u8]) {
        buffer.room(bytes.len(), 16)[..bytes.len()].copy_from_slice(bytes);
        buffer.fill(bytes.len());
    }

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let mut buffer = Buffer::new();
        let (mut put_in, mut taken) = (Vec::new(), Vec::new());
        for number in 0..200_u8 {
            let bytes = vec![number; usize::from(number) % 23];
            put(&mut buffer, &bytes);
            put_in.extend(bytes);
            let front = buffer.bytes().len().min(usize::from(number) % 19);
            taken.extend_from_slice(&buffer.bytes()[..front]);
            buffer.consume(front, number % 2 == 0);
            if number % 50 == 0 {
                buffer.release();
            }
        }
        taken.extend(buffer.into_vec());
        assert_eq!(taken, put_in);
    }

    #[test]
    fn v55_moved_bytes_are_not_left_behind() {
        let mut buffer = Buffer::new();
        put(&mut buffer, b"NOOP\r\nAUTH ");
        buffer.consume(6, false);
        assert!(buffer.memory.len() - buffer.end < 10);
        buffer.room(10, 10);
        assert_eq!(buffer.bytes(), b"AUTH ");
        assert_eq!(buffer.start, 0);
        let behind = buffer.memory[5..].windows(2).any(|two| two == b"TH");
        assert!(!behind, "{:?}", buffer.memory);
    }

    #[test]
    fn v55_credentials_are_overwritten() {
        let mut buffer = Buffer::new();
        put(&mut buffer, b"AUTH PLAIN AGEAYg==\r\nNOOP\r\n");
        buffer.consume(21, true);
        assert_eq!(buffer.memory[..21], [0; 21]);
        assert_eq!(buffer.bytes(), b"NOOP\r\n");
    }
}
