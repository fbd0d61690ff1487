//! The octets of a reply's text.

use crate::Writer;

/// `textstring = 1*(%d09 / %d32-126)`
pub(crate) const TEXTSTRING: [bool; 256] = {
    let mut class = PRINTABLE;
    class[0x09] = true;
    class
};

/// `%d32-126`
pub(crate) const PRINTABLE: [bool; 256] = {
    let mut class = [false; 256];
    let mut octet = 32;
    while octet <= 126 {
        class[octet] = true;
        octet += 1;
    }
    class
};

/// Every octet that is no CR, LF or NUL.
pub(crate) const ANY_TEXT: [bool; 256] = {
    let mut class = [true; 256];
    class[0x00] = false;
    class[0x0A] = false;
    class[0x0D] = false;
    class
};

/// How many octets at the front of `input` belong to `class`, which holds `%d32-126`.
///
/// Eight octets at a time while they are all printable ASCII.
pub(crate) fn text_run(input: &[u8], class: &[bool; 256]) -> usize {
    let mut at = 0;
    while let Some(rest) = input.get(at..) {
        if let Some(word) = rest.first_chunk() {
            let odd = not_printable(u64::from_le_bytes(*word));
            if odd == 0 {
                at += 8;
                continue;
            }
            at += (odd.trailing_zeros() / 8) as usize;
        }
        // One that is not printable, or the last seven; then up to eight by the table.
        let rest = input.get(at..).unwrap_or_default();
        let rest = rest.get(..8).unwrap_or(rest);
        let run = rest.iter().take_while(|&&octet| class[usize::from(octet)]).count();
        at += run;
        if run < 8 {
            break;
        }
    }
    at
}

/// Appends `text` with every octet outside `textstring` as a question mark.
pub(crate) fn put_text(mut text: &[u8], writer: &mut Writer<'_>) {
    loop {
        let run = text_run(text, &TEXTSTRING);
        writer.put(text.get(..run).unwrap_or_default());
        match text.get(run..).and_then(<[u8]>::split_first) {
            Some((_, rest)) => text = rest,
            None => return,
        }
        writer.put_octet(b'?');
    }
}

/// The octet that [`put_text`] writes for this one.
pub(crate) const fn clean(octet: u8) -> u8 {
    if TEXTSTRING[octet as usize] { octet } else { b'?' }
}

/// The high bit of the first octet outside `%d32-126`, and perhaps bits above it.
const fn not_printable(word: u64) -> u64 {
    // Below 32 the subtraction borrows, 127 becomes 128, and above it the bit is set already.
    (word.wrapping_sub(EACH * 0x20) | word.wrapping_add(EACH) | word) & (EACH * 0x80)
}

const EACH: u64 = 0x0101_0101_0101_0101;
