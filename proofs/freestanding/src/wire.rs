//! One direction of a connection, on the stack.

use core::hint::black_box;

/// Octets on their way from one peer to the other.
pub struct Wire {
    octets: [u8; 8192],
    read: usize,
    written: usize,
}

impl Wire {
    pub const fn new() -> Self {
        Self { octets: [0; 8192], read: 0, written: 0 }
    }

    /// What was written and not read, of which the optimiser knows nothing.
    pub fn unread(&self) -> &[u8] {
        black_box(self.octets.get(self.read..self.written).unwrap_or_default())
    }

    /// The first of the unread octets are done with.
    pub const fn drop_front(&mut self, octets: usize) {
        self.read = self.read.saturating_add(octets);
    }

    /// Lets `write` fill the front of what is free, and say how much it did.
    pub fn write<E>(&mut self, write: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Option<usize> {
        let octets = write(self.octets.get_mut(self.written..)?).ok()?;
        self.written = self.written.checked_add(octets)?;
        Some(octets)
    }

    /// Appends `octets`.
    pub fn put(&mut self, octets: &[u8]) -> Option<()> {
        self.octets.get_mut(self.written..)?.get_mut(..octets.len())?.copy_from_slice(octets);
        self.written = self.written.checked_add(octets.len())?;
        Some(())
    }
}
