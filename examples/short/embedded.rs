//! A server for a device: over `embedded-io`, in a buffer of 2 KiB and without an allocator. Here the
//! line is in memory; in `examples/freestanding` there is no operating system below it.
#![allow(clippy::print_stdout)] // that is what it is for

#[path = "device.rs"]
pub(crate) mod device;

use embedded_io::{Read, Write};

/// A line that is in memory.
pub(crate) struct Memory<'m> {
    pub(crate) input: &'m [u8],
    pub(crate) output: Vec<u8>,
}

impl embedded_io::ErrorType for Memory<'_> {
    type Error = core::convert::Infallible;
}

impl Read for Memory<'_> {
    fn read(&mut self, space: &mut [u8]) -> Result<usize, Self::Error> {
        self.input.read(space)
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

fn main() {
    let mut line = Memory { input: b"NOOP\r\nQUIT\r\n", output: Vec::new() };
    if let Err(broken) = device::session(&mut line, &mut [0; 2048], |_| {}) {
        println!("{broken}");
    }
    println!("{}", String::from_utf8_lossy(&line.output));
}
