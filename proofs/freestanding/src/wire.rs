//! One direction of a connection, on the stack.

use core::hint::black_box;

/// Bytes on their way from one peer to the other.
pub struct Wire {
    bytes: [u8; 8192],
    read: usize,
    written: usize,
}

impl Wire {
    pub const fn new() -> Self {
        Self { bytes: [0; 8192], read: 0, written: 0 }
    }

    /// What was written and not read, of which the optimiser knows nothing.
    pub fn unread(&self) -> &[u8] {
        black_box(self.bytes.get(self.read..self.written).unwrap_or_default())
    }

    /// The first of the unread bytes are done with.
    pub const fn drop_front(&mut self, bytes: usize) {
        self.read = self.read.saturating_add(bytes);
    }

    /// Lets `write` fill the front of what is free, and say how much it did.
    pub fn write<E>(&mut self, write: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Option<usize> {
        let bytes = write(self.bytes.get_mut(self.written..)?).ok()?;
        self.written = self.written.checked_add(bytes)?;
        Some(bytes)
    }

    /// Appends `bytes`.
    pub fn put(&mut self, bytes: &[u8]) -> Option<()> {
        self.bytes.get_mut(self.written..)?.get_mut(..bytes.len())?.copy_from_slice(bytes);
        self.written = self.written.checked_add(bytes.len())?;
        Some(())
    }
}
