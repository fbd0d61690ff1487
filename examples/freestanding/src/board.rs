//! The board: a line, and the memory for one session.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering};

use embedded_io::{ErrorKind, ErrorType, Read, Write};

/// The memory for one session; none once it is given away.
pub fn buffer() -> Option<&'static mut [u8; 2048]> {
    static IS_GIVEN: AtomicBool = AtomicBool::new(false);
    static mut BUFFER: [u8; 2048] = [0; 2048];
    if IS_GIVEN.swap(true, Ordering::Relaxed) {
        return None;
    }
    // SAFETY: nothing else refers to it, and it is given away once.
    unsafe { (&raw mut BUFFER).as_mut() }
}

/// Standard input and standard output.
pub struct Line;

impl ErrorType for Line {
    type Error = ErrorKind;
}

impl Read for Line {
    fn read(&mut self, space: &mut [u8]) -> Result<usize, ErrorKind> {
        const READ: isize = 0;
        // SAFETY: the kernel writes to `space`, and no further.
        bytes(unsafe { call(READ, 0, space.as_mut_ptr(), space.len()) })
    }
}

impl Write for Line {
    fn write(&mut self, content: &[u8]) -> Result<usize, ErrorKind> {
        const WRITE: isize = 1;
        // SAFETY: the kernel only reads, and no further than the bytes go.
        bytes(unsafe { call(WRITE, 1, content.as_ptr().cast_mut(), content.len()) })
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// What a call gives: how many bytes, or an error below zero.
fn bytes(given: isize) -> Result<usize, ErrorKind> {
    usize::try_from(given).map_err(|_| ErrorKind::Other)
}

/// # Safety
///
/// What `number` does with the memory is allowed.
unsafe fn call(number: isize, descriptor: usize, memory: *mut u8, bytes: usize) -> isize {
    let given;
    // SAFETY: the caller's; the kernel changes these registers alone.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => given,
            in("rdi") descriptor,
            in("rsi") memory,
            in("rdx") bytes,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    given
}
