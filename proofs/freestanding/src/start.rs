//! What an operating system and a C library would otherwise give: a start, an end, and the memory
//! routines that the compiler calls.

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;

// The kernel leaves the stack aligned to 16 bytes and no return address on it.
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "call {start}",
    "ud2",
    start = sym start,
);

extern "C" fn start() -> ! {
    exit(crate::run())
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(101)
}

fn exit(status: u8) -> ! {
    const EXIT: u64 = 60;
    // SAFETY: the call does not return and touches no memory.
    unsafe {
        asm!("syscall", in("rax") EXIT, in("rdi") u64::from(status), options(noreturn, nostack));
    }
}

/// # Safety
///
/// That of C's `memcpy`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
    // SAFETY: the caller's; the direction flag is clear at every call.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") bytes => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
    }
    to
}

/// # Safety
///
/// That of C's `memmove`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
    if to.addr().wrapping_sub(from.addr()) >= bytes {
        // SAFETY: the caller's; `to` does not begin within `from`, so upwards is right.
        return unsafe { memcpy(to, from, bytes) };
    }
    // SAFETY: the caller's; from the last byte down, and the direction flag is cleared again.
    unsafe {
        asm!(
            "std",
            "rep movsb",
            "cld",
            inout("rcx") bytes => _,
            inout("rdi") to.wrapping_add(bytes).wrapping_sub(1) => _,
            inout("rsi") from.wrapping_add(bytes).wrapping_sub(1) => _,
            options(nostack),
        );
    }
    to
}

/// # Safety
///
/// That of C's `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, bytes: usize) -> *mut u8 {
    // SAFETY: the caller's. Of `byte` only the low eight bits are stored.
    unsafe {
        asm!(
            "rep stosb",
            inout("rcx") bytes => _,
            inout("rdi") to => _,
            in("eax") byte,
            options(nostack, preserves_flags),
        );
    }
    to
}

/// # Safety
///
/// That of C's `memcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, bytes: usize) -> i32 {
    let (above, below): (u8, u8);
    // SAFETY: the caller's. The comparison of a register with itself makes no bytes equal.
    unsafe {
        asm!(
            "cmp eax, eax",
            "repe cmpsb",
            "seta {above}",
            "setb {below}",
            above = out(reg_byte) above,
            below = out(reg_byte) below,
            in("eax") 0,
            inout("rcx") bytes => _,
            inout("rsi") one => _,
            inout("rdi") other => _,
            options(nostack, readonly),
        );
    }
    i32::from(above) - i32::from(below)
}

/// # Safety
///
/// That of BSD's `bcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, bytes: usize) -> i32 {
    // SAFETY: the caller's.
    unsafe { memcmp(one, other, bytes) }
}
