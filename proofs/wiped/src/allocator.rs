//! An allocator that looks for credentials in what it is given back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Looks;

#[global_allocator]
static ALLOCATOR: Looks = Looks;

static FOUND: AtomicUsize = AtomicUsize::new(0);

/// Pieces of the password: as it is, and in the base64 of the message of PLAIN.
const SECRETS: [&[u8]; 2] = [b"horse-battery", b"Y29ycmVjdC1o"];

/// The blocks with a credential, since this was last asked.
pub(crate) fn take_found() -> usize {
    FOUND.swap(0, Ordering::Relaxed)
}

// SAFETY: it hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Looks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that what was never written to can be looked at.
        // SAFETY: as of the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives the block back, and all of it is initialised.
        let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        if SECRETS.iter().any(|secret| bytes.windows(secret.len()).any(|bytes| bytes == *secret)) {
            FOUND.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: as of the caller.
        unsafe { System.dealloc(block, layout) }
    }
}
